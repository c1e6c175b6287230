import { computed, type Ref } from 'vue'
import { keepPreviousData, useInfiniteQuery, useMutation, useQuery } from '@tanstack/vue-query'
import { queryClient } from '@/app/query'
import { backend, type CommandName, type RequestOf } from '@/backend'
import type { ArchiveRecord } from '@/bindings/ArchiveRecord'
import type { ArchiveTimelineCursor } from '@/bindings/ArchiveTimelineCursor'

/** Pairs of one page of duplicates. */
const PAGE_PAIRS = 100

/** Patients as the person types; nothing typed gives those discharged last. */
export function useFind(query: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['archive', 'find', query.value.trim()]),
    queryFn: () => backend.call('archive_find', { query: query.value.trim(), limit: 50 }),
    placeholderData: keepPreviousData,
  })
}

/** One record. */
export function useRecord(id: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['archive', 'patient', id.value]),
    queryFn: () => backend.call('archive_patient', { id: id.value }),
  })
}

/** The timeline, page by page. */
export function useTimeline(id: Ref<string>) {
  return useInfiniteQuery({
    queryKey: computed(() => ['archive', 'timeline', id.value]),
    queryFn: ({ pageParam }) => backend.call('archive_timeline', { patient_id: id.value, before: pageParam, limit: 30 }),
    initialPageParam: null as ArchiveTimelineCursor | null,
    getNextPageParam: (page) => page.next,
  })
}

/** Suspected duplicates in one state, of everybody or of one patient. */
export function useDuplicates(state: Ref<string>, patientId: Ref<string | null>) {
  return useInfiniteQuery({
    queryKey: computed(() => ['archive', 'duplicates', state.value, patientId.value]),
    queryFn: ({ pageParam }) => backend.call('archive_duplicates', { state: state.value, patient_id: patientId.value, skip: pageParam, limit: PAGE_PAIRS }),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const shown = pages.reduce((sum, page) => sum + page.pairs.length, 0)
      return last.pairs.length > 0 && shown < last.count ? shown : undefined
    },
  })
}

/** How many pairs wait for a decision. */
export function useDuplicateCount() {
  return useQuery({
    queryKey: ['archive', 'duplicates', 'count'],
    queryFn: async () => (await backend.call('archive_duplicates', { state: 'open', patient_id: null, skip: 0, limit: 1 })).count,
  })
}

/** The plans a patient is on, with their tasks. */
export function usePlansOf(id: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['followup', 'patient-plans', id.value]),
    queryFn: () => backend.call('followup_patient_plans', { patient_id: id.value }),
  })
}

type RecordCommand = { [K in CommandName]: K extends `archive_${string}` ? K : never }[CommandName]

/** A command that answers the record anew; the page shows that answer at once. */
export function useChange<K extends RecordCommand>(name: K) {
  return useMutation({
    mutationFn: (request: RequestOf<K>) => backend.call(name, request),
    onSuccess: (answer) => {
      if ('fields' in answer && 'encounter_count' in answer) {
        const record = answer as unknown as ArchiveRecord
        queryClient.setQueryData(['archive', 'patient', record.id], record)
      }
    },
  })
}
