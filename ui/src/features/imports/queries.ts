import { computed, type Ref } from 'vue'
import { keepPreviousData, useInfiniteQuery, useMutation, useQuery } from '@tanstack/vue-query'
import { useI18n } from 'vue-i18n'
import { backend, type RequestOf, type ResponseOf } from '@/backend'
import type { Language } from '@/bindings/Language'

export type Inspected = ResponseOf<'imports_inspect'>
export type Batch = ResponseOf<'imports_batches'>['batches'][number]
export type RowInfo = ResponseOf<'imports_batch'>['rows'][number]
export type Result = ResponseOf<'imports_run'>
export type UndoResult = ResponseOf<'imports_undo_run'>
/** Which rows of a batch are looked at. */
export type Outcome = 'created' | 'updated' | 'unchanged' | 'rejected' | 'warned' | 'left_out'

/** Rows of one page of a batch. */
const PAGE_ROWS = 200
const BATCHES = 50

/** The language in which the core says what is wrong with rows. */
export function useLanguage() {
  const { locale } = useI18n()
  return computed(() => locale.value as Language)
}

/** What a file is, without importing it. Asked anew for another sheet or profile. */
export function useInspection(asked: Ref<RequestOf<'imports_inspect'> | null>) {
  return useQuery({
    queryKey: computed(() => ['imports', 'inspect', asked.value]),
    queryFn: () => backend.call('imports_inspect', asked.value ?? { path: '', sheet: null, profile: null }),
    enabled: computed(() => asked.value !== null),
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    retry: false,
  })
}

/** Saved ways of matching columns. */
export function useProfiles() {
  return useQuery({ queryKey: ['imports', 'profiles'], queryFn: () => backend.call('imports_profiles', {}) })
}

/** Earlier imports, newest first. */
export function useBatches() {
  return useQuery({ queryKey: ['imports', 'batches'], queryFn: () => backend.call('imports_batches', { limit: BATCHES }), staleTime: 0 })
}

/** One batch and its rows, page by page. */
export function useBatch(batch: Ref<string>, outcome: Ref<Outcome | null>) {
  const language = useLanguage()
  return useInfiniteQuery({
    queryKey: computed(() => ['imports', 'batch', batch.value, outcome.value, language.value]),
    queryFn: ({ pageParam }) =>
      backend.call('imports_batch', { batch: batch.value, outcome: outcome.value, after: pageParam, limit: PAGE_ROWS, language: language.value }),
    initialPageParam: null as number | null,
    getNextPageParam: (last) => (last.more ? last.rows.at(-1)?.row : undefined),
    placeholderData: keepPreviousData,
    staleTime: 0,
  })
}

/** Begins an import or a trial; answers the job to follow. */
export function useStart() {
  return useMutation({ mutationFn: (request: RequestOf<'imports_start'>) => backend.call('imports_start', request) })
}

/** Begins to take a batch back. */
export function useUndo() {
  return useMutation({ mutationFn: (batch: string) => backend.call('imports_undo', { batch }) })
}

export function useSaveProfile() {
  return useMutation({ mutationFn: (request: RequestOf<'imports_profile_save'>) => backend.call('imports_profile_save', request) })
}

export function useDeleteProfile() {
  return useMutation({ mutationFn: (id: string) => backend.call('imports_profile_delete', { id }) })
}

/** Asks where to, then writes the workbook of rows with problems. Null when the person changes their mind. */
export function useReport() {
  const language = useLanguage()
  const { t } = useI18n()
  return useMutation({
    mutationFn: async (batch: Batch | { number: number }) => {
      const path = await backend.pickSave({
        title: t('imports.report.title'),
        defaultName: t('imports.report.file', { number: batch.number }),
        filters: [{ name: 'Excel', extensions: ['xlsx'] }],
      })
      if (path === null) return null
      return backend.call('imports_report', { batch: String(batch.number), path, language: language.value })
    },
  })
}
