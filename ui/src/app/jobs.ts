import { computed, onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'
import { backend, toBackendError, type BackendError, type ResponseOf } from '@/backend'

export type JobStatus = ResponseOf<'settings_job'>

/** How often a running job is asked how far it is. */
export const ASK_EVERY_MS = 400

/**
 * Follows a piece of background work: `done`, `total` (null while unknown), `result` once it is done, `error` once it
 * failed. A new `id` starts anew; null follows nothing.
 */
export function useJob<Result>(id: Ref<string | null>) {
  const status = shallowRef<JobStatus | null>(null)
  const failure = shallowRef<BackendError | null>(null)
  const stopping = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined

  async function ask() {
    clearTimeout(timer)
    const asked = id.value
    if (!asked) return
    try {
      const answer = await backend.call('settings_job', { id: asked })
      if (id.value !== asked) return
      status.value = answer
      if (answer.state === 'running') timer = setTimeout(() => void ask(), ASK_EVERY_MS)
      else if (answer.error && answer.state === 'failed') failure.value = toBackendError(answer.error)
    } catch (reason) {
      failure.value = toBackendError(reason)
    }
  }

  async function cancel() {
    if (!id.value) return
    stopping.value = true
    await backend.call('settings_job_cancel', { id: id.value })
    await ask()
  }

  const silence = backend.on('job', (ended) => {
    if (ended.id === id.value) void ask()
  })
  onScopeDispose(() => {
    silence()
    clearTimeout(timer)
  })
  watch(id, () => {
    status.value = null
    failure.value = null
    stopping.value = false
    void ask()
  }, { immediate: true })

  return {
    state: computed(() => (failure.value ? 'failed' : (status.value?.state ?? null))),
    running: computed(() => id.value !== null && !failure.value && (status.value === null || status.value.state === 'running')),
    done: computed(() => status.value?.done ?? 0),
    total: computed(() => status.value?.total || null),
    result: computed(() => (status.value?.state === 'done' ? (status.value.result as Result) : null)),
    error: failure,
    stopping,
    cancel,
  }
}
