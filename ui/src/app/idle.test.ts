import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { answerWith } from '../../tests/core'
import { startIdleWatch } from './idle'

describe('the idle watch', () => {
  const lock = vi.fn(async () => undefined)
  let active = true
  let stop: () => void
  let calls: [string, unknown][]

  beforeEach(() => {
    vi.useFakeTimers()
    lock.mockClear()
    active = true
    calls = answerWith({ session_touch: () => ({}) })
    stop = startIdleWatch({ idleSeconds: () => 300, active: () => active, lock, now: () => Date.now() })
  })
  afterEach(() => {
    stop()
    vi.useRealTimers()
  })
  const press = () => window.dispatchEvent(new KeyboardEvent('keydown'))

  it('locks after five minutes without a sign of life', async () => {
    await vi.advanceTimersByTimeAsync(299_000)
    expect(lock).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(3_000)
    expect(lock).toHaveBeenCalled()
  })

  it('waits again from each key', async () => {
    await vi.advanceTimersByTimeAsync(290_000)
    press()
    await vi.advanceTimersByTimeAsync(290_000)
    expect(lock).not.toHaveBeenCalled()
  })

  it('tells the core seldom, and of the last sign too', async () => {
    for (let second = 0; second < 60; second += 1) {
      press()
      await vi.advanceTimersByTimeAsync(1_000)
    }
    expect(calls.length).toBeGreaterThanOrEqual(1)
    expect(calls.length).toBeLessThanOrEqual(2)
    const before = calls.length
    press()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(calls.length).toBe(before + 1)
  })

  it('leaves a locked screen alone, and starts afresh after it', async () => {
    active = false
    await vi.advanceTimersByTimeAsync(900_000)
    expect(lock).not.toHaveBeenCalled()
    active = true
    await vi.advanceTimersByTimeAsync(290_000)
    expect(lock).not.toHaveBeenCalled()
  })
})
