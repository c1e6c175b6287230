import { ref } from 'vue'

/** One act at a time, with its failure: for the small forms beside a page. */
export function useSubmit<T>(work: () => Promise<T>, done: (result: T) => void) {
  const error = ref<unknown>()
  const busy = ref(false)
  async function submit() {
    if (busy.value) return
    busy.value = true
    error.value = undefined
    try {
      done(await work())
    } catch (reason) {
      error.value = reason
    } finally {
      busy.value = false
    }
  }
  return { error, busy, submit }
}
