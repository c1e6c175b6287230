import { onScopeDispose, ref, watch, type Ref } from 'vue'
import { backend } from '@/backend'

/**
 * When a sync last changed what stands on screen, milliseconds UTC; null while none did. `shown` are the data that a
 * `changed` event makes anew: only a real difference counts, and one's own writes do not.
 */
export function useTouchedBySync(shown: () => unknown): Ref<number | null> {
  const at = ref<number | null>(null)
  let bySync = false
  const silence = backend.on('changed', ({ features }) => (bySync = features.includes('sync')))
  onScopeDispose(silence)
  watch(shown, (now, before) => {
    if (bySync && JSON.stringify(now) !== JSON.stringify(before)) at.value = Date.now()
    bySync = false
  })
  return at
}
