import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, ref } from 'vue'
import { answerWith, Refusal, tell } from '../../tests/core'
import { ASK_EVERY_MS, useJob, type JobStatus } from './jobs'

const running: JobStatus = { id: 'j', kind: 'imports_run', state: 'running', done: 10, total: 0, result: null, error: null }
let scope = effectScope()
const follow = (id: string | null) => scope.run(() => useJob<{ rows: number }>(ref(id))) as ReturnType<typeof useJob<{ rows: number }>>
const later = () => vi.advanceTimersByTimeAsync(ASK_EVERY_MS)

describe('a job', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    scope = effectScope()
  })
  afterEach(() => {
    scope.stop()
    vi.useRealTimers()
  })

  it('is followed to its result, and then left alone', async () => {
    const answers = [running, { ...running, done: 50, total: 100 }, { ...running, state: 'done', done: 100, total: 100, result: { rows: 100 } }]
    const calls = answerWith({ settings_job: () => answers.shift() ?? running })
    const job = follow('j')
    await vi.advanceTimersByTimeAsync(1)
    expect([job.running.value, job.done.value, job.total.value]).toEqual([true, 10, null])
    await later()
    expect([job.done.value, job.total.value, job.result.value]).toEqual([50, 100, null])
    await later()
    expect([job.running.value, job.result.value]).toEqual([false, { rows: 100 }])
    await later()
    expect(calls).toHaveLength(3)
  })

  it('is known to have ended as soon as the core says so', async () => {
    let state = 'running'
    answerWith({ settings_job: () => ({ ...running, state, result: { rows: 3 } }) })
    const job = follow('j')
    await vi.advanceTimersByTimeAsync(1)
    state = 'done'
    tell('job', { id: 'another', kind: 'imports_run' })
    await vi.advanceTimersByTimeAsync(1)
    expect(job.running.value).toBe(true)
    tell('job', { id: 'j', kind: 'imports_run' })
    await vi.advanceTimersByTimeAsync(1)
    expect(job.result.value).toEqual({ rows: 3 })
  })

  it('says why it failed', async () => {
    answerWith({ settings_job: () => ({ ...running, state: 'failed', error: { code: 'disk_full', params: {}, trace: 't', fields: [] } }) })
    const job = follow('j')
    await vi.advanceTimersByTimeAsync(1)
    expect([job.state.value, job.error.value?.code, job.running.value]).toEqual(['failed', 'disk_full', false])
  })

  it('stops when asked to', async () => {
    let stopped = false
    answerWith({ settings_job: () => ({ ...running, state: stopped ? 'cancelled' : 'running' }), settings_job_cancel: () => ((stopped = true), {}) })
    const job = follow('j')
    await vi.advanceTimersByTimeAsync(1)
    await job.cancel()
    expect([job.state.value, job.stopping.value, job.error.value]).toEqual(['cancelled', true, null])
  })

  it('that nobody knows is a failure, not an endless wait', async () => {
    answerWith({ settings_job: () => { throw new Refusal('not_found') } })
    const job = follow('j')
    await vi.advanceTimersByTimeAsync(1)
    expect([job.running.value, job.error.value?.code]).toEqual([false, 'not_found'])
  })

  it('does not exist without an id', async () => {
    const calls = answerWith({})
    const job = follow(null)
    await later()
    expect([job.running.value, calls.length]).toEqual([false, 0])
  })
})
