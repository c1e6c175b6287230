import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick } from 'vue'
import { answerWith, Refusal } from '../../tests/core'
import { DRAFT_DELAY_MS, discardDrafts, flushDrafts, useDraft, type Draft } from './drafts'

interface Note {
  text: string
  minutes?: number
}

/** A database of drafts that can be locked. */
function desk() {
  const kept = new Map<string, unknown>()
  const state = { locked: false }
  const check = () => {
    if (state.locked) throw new Refusal('signed_out')
  }
  const calls = answerWith({
    settings_draft_save: ({ key, body }) => (check(), kept.set(key, body), {}),
    settings_draft_load: ({ key }) => (check(), { body: kept.get(key) ?? null, saved_at: null }),
    settings_draft_clear: ({ key }) => (check(), kept.delete(key), {}),
  })
  return { kept, state, saves: () => calls.filter(([name]) => name === 'settings_draft_save').length }
}

const scopes: ReturnType<typeof effectScope>[] = []

function opened<T extends object>(key: string, fresh: () => T): Draft<T> {
  const scope = effectScope()
  scopes.push(scope)
  return scope.run(() => useDraft(key, fresh)) as Draft<T>
}

const settled = () => vi.advanceTimersByTimeAsync(DRAFT_DELAY_MS + 50)

beforeEach(() => vi.useFakeTimers())
afterEach(() => {
  scopes.splice(0).forEach((scope) => scope.stop())
  discardDrafts()
  vi.useRealTimers()
})

describe('a draft', () => {
  it('stores what alice types once she rests, not at each letter', async () => {
    const { kept, saves } = desk()
    const draft = opened<Note>('call:1', () => ({ text: '' }))
    await settled()
    for (const text of ['伤', '伤口', '伤口红']) {
      draft.body.value.text = text
      await vi.advanceTimersByTimeAsync(100)
    }
    expect(saves()).toBe(0)
    await settled()
    expect(kept.get('call:1')).toEqual({ text: '伤口红' })
    expect(saves()).toBe(1)
  })

  it('brings back what alice left, with new fields filled in', async () => {
    desk().kept.set('call:1', { text: '𠮷先生说伤口不痛' })
    const draft = opened<Note>('call:1', () => ({ text: '', minutes: 5 }))
    await settled()
    expect(draft.body.value).toEqual({ text: '𠮷先生说伤口不痛', minutes: 5 })
    expect(draft.restored.value).toBe(true)
  })

  it('stores at once when the window asks for it', async () => {
    const { kept } = desk()
    const draft = opened<Note>('call:1', () => ({ text: '' }))
    await settled()
    draft.body.value.text = 'half a word'
    await nextTick()
    await flushDrafts()
    expect(kept.get('call:1')).toEqual({ text: 'half a word' })
  })

  it('keeps the last letters through a lock and gives them to the same form', async () => {
    const { kept, state } = desk()
    const before = opened<Note>('call:1', () => ({ text: '' }))
    await settled()
    state.locked = true
    before.body.value.text = 'typed as the desk locked'
    await settled()
    expect(before.state.value).toBe('failed')
    scopes.splice(0).forEach((scope) => scope.stop())
    await settled()

    state.locked = false
    const after = opened<Note>('call:1', () => ({ text: '' }))
    await settled()
    expect(after.body.value.text).toBe('typed as the desk locked')
    expect(kept.get('call:1')).toEqual({ text: 'typed as the desk locked' })
  })

  it('never hands what alice typed to bob', async () => {
    const { kept, state } = desk()
    const hers = opened<Note>('call:1', () => ({ text: '' }))
    await settled()
    state.locked = true
    hers.body.value.text = 'of alice'
    await settled()
    scopes.splice(0).forEach((scope) => scope.stop())
    await settled()
    discardDrafts()
    state.locked = false
    const his = opened<Note>('call:1', () => ({ text: '' }))
    await settled()
    expect(his.body.value.text).toBe('')
    expect(kept.size).toBe(0)
  })

  it('is gone after the form was saved for good', async () => {
    const { kept } = desk()
    const draft = opened<Note>('call:1', () => ({ text: '' }))
    await settled()
    draft.body.value.text = 'done'
    await settled()
    await draft.clear()
    await settled()
    expect(kept.has('call:1')).toBe(false)
    expect(draft.body.value).toEqual({ text: '' })
  })

  it('says nothing to the core while nothing changed', async () => {
    const { saves } = desk()
    const draft = opened<Note>('call:1', () => ({ text: '' }))
    await settled()
    draft.body.value.text = 'x'
    await nextTick()
    draft.body.value.text = ''
    await settled()
    expect(saves()).toBe(0)
  })
})
