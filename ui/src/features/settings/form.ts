import { computed, ref, toRaw, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { backend, type ResponseOf } from '@/backend'
import { say } from '@/shared/feedback/undo'

export type Settings = ResponseOf<'settings_get'>

const KEY = ['settings', 'all'] as const
const copy = (settings: Settings): Settings => structuredClone(toRaw(settings))

/** What differs between two settings, by name: what somebody else saved meanwhile stays. */
export function changed(from: Settings, to: Settings): Partial<Settings> {
  return Object.fromEntries(Object.entries(to).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(from[name as keyof Settings])))
}

/** The settings of the hospital as a form: a draft, saved as a whole, and taken back with one click. */
export function useSettingsForm() {
  const { t } = useI18n()
  const client = useQueryClient()
  const query = useQuery({ queryKey: KEY, queryFn: () => backend.call('settings_get', {}) })
  const base = ref<Settings>()
  const draft = ref<Settings>()
  const error = ref<unknown>()
  const busy = ref(false)
  const dirty = computed(() => !!base.value && !!draft.value && Object.keys(changed(base.value, draft.value)).length > 0)

  function take(settings: Settings) {
    base.value = copy(settings)
    draft.value = copy(settings)
  }
  watch(query.data, (data) => data && !dirty.value && take(data), { immediate: true })

  async function store(change: Partial<Settings>) {
    const latest = await backend.call('settings_get', {})
    const saved = await backend.call('settings_save', { ...latest, ...change })
    take(saved)
    client.setQueryData([...KEY], saved)
  }

  async function save() {
    if (!base.value || !draft.value || busy.value) return
    const change = changed(base.value, draft.value)
    const before = changed(draft.value, base.value)
    busy.value = true
    error.value = undefined
    try {
      await store(change)
      say(t('settings.saved'), () => store(before))
    } catch (reason) {
      error.value = reason
    } finally {
      busy.value = false
    }
  }

  function discard() {
    if (base.value) draft.value = copy(base.value)
    error.value = undefined
  }

  return { draft, dirty, busy, error: computed(() => error.value ?? query.error.value), ready: computed(() => draft.value !== undefined || query.error.value !== null), save, discard }
}
