import { getCurrentScope, onScopeDispose, ref, watch, type Ref } from 'vue'
import { backend } from '@/backend'

/** How long typing rests before it is stored. */
export const DRAFT_DELAY_MS = 300

export type DraftState = 'loading' | 'idle' | 'saving' | 'failed'

export interface Draft<T> {
  /** What the form shows and edits. */
  body: Ref<T>
  /** `loading` until an earlier draft was looked for; fields wait for that. */
  state: Ref<DraftState>
  /** True when the body came from an earlier, unfinished visit. */
  restored: Ref<boolean>
  /** Stores now what is still waiting. */
  flush(): Promise<void>
  /** Forgets the draft, after the form was saved for good; the body starts again. */
  clear(): Promise<void>
}

interface Waiting {
  save(): Promise<void>
}

const waiting = new Map<string, Waiting>()

/** Stores every draft that is still waiting: before a lock, when the window is hidden, when it closes. */
export async function flushDrafts(): Promise<void> {
  await Promise.allSettled([...waiting.values()].map((draft) => draft.save()))
}

/** Drops what could not be stored: another person took over, and it is not theirs. */
export function discardDrafts(): void {
  waiting.clear()
}

/** Flushes when the window goes out of sight; a closing window gives no later chance. */
export function startDraftFlushing(): void {
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') void flushDrafts()
  })
  window.addEventListener('pagehide', () => void flushDrafts())
}

/**
 * Keeps what is being typed under `key` (`followup:call:<task>`) in the encrypted database, and brings it back after a
 * crash, a lock or a walk to another page. Nothing but `clear` removes it.
 */
export function useDraft<T extends object>(key: string, fresh: () => T): Draft<T> {
  const body = ref(fresh()) as Ref<T>
  const state = ref<DraftState>('loading')
  const restored = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  let stored = JSON.stringify(body.value)
  let chain: Promise<void> = Promise.resolve()

  function save(): Promise<void> {
    clearTimeout(timer)
    chain = chain.then(async () => {
      const text = JSON.stringify(body.value)
      if (text === stored) return settle()
      state.value = 'saving'
      try {
        await backend.call('settings_draft_save', { key, body: JSON.parse(text) as unknown })
        stored = text
        if (JSON.stringify(body.value) === text) settle()
        state.value = 'idle'
      } catch {
        // Stays in `waiting`: the next key stroke, unlock or flush tries again.
        state.value = 'failed'
      }
    })
    return chain
  }
  const entry: Waiting = { save }

  function settle() {
    if (waiting.get(key) === entry) waiting.delete(key)
  }

  function onChange() {
    if (state.value === 'loading' || JSON.stringify(body.value) === stored) return
    waiting.set(key, entry)
    clearTimeout(timer)
    timer = setTimeout(() => void save(), DRAFT_DELAY_MS)
  }

  async function load() {
    try {
      // A lock may have come before the last letters were stored: those go first.
      await waiting.get(key)?.save()
      const answer = await backend.call('settings_draft_load', { key })
      if (answer.body !== null) {
        body.value = { ...fresh(), ...(answer.body as T) }
        stored = JSON.stringify(body.value)
        restored.value = true
      }
      state.value = 'idle'
    } catch {
      state.value = 'failed'
    }
  }

  async function clear() {
    clearTimeout(timer)
    await chain
    body.value = fresh()
    stored = JSON.stringify(body.value)
    settle()
    restored.value = false
    await backend.call('settings_draft_clear', { key })
  }

  watch(body, onChange, { deep: true })
  if (getCurrentScope()) onScopeDispose(() => void save())
  void load()
  return { body, state, restored, flush: save, clear }
}
