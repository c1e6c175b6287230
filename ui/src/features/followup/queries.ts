import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/vue-query'
import { backend, type RequestOf } from '@/backend'
import type { FollowupPatient } from '@/bindings/FollowupPatient'
import type { WorklistFilter } from '@/bindings/WorklistFilter'

// More than a tall screen shows: the first rows are there sooner, the rest follow before they are scrolled to.
const PAGE = 30

/** The list for a filter, page by page. */
export function useWorklist(filter: MaybeRefOrGetter<WorklistFilter>) {
  return useInfiniteQuery({
    queryKey: ['followup', 'worklist', computed(() => toValue(filter))],
    queryFn: ({ pageParam }) => backend.call('followup_worklist', { filter: toValue(filter), on: null, cursor: pageParam, limit: PAGE }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    placeholderData: keepPreviousData,
    // Windows open and agreed times come without anything being written.
    refetchInterval: 60_000,
  })
}

export const useCounts = () =>
  useQuery({ queryKey: ['followup', 'counts'], queryFn: () => backend.call('followup_counts', {}), refetchInterval: 60_000 })

/** How many would be due on a day. */
export const useDayAhead = (on: MaybeRefOrGetter<string | null>) =>
  useQuery({
    queryKey: ['followup', 'day', computed(() => toValue(on))],
    queryFn: () => backend.call('followup_worklist', { filter: { kind: 'all' }, on: toValue(on), cursor: null, limit: 200 }),
    enabled: computed(() => toValue(on) !== null),
  })

/** The patient as things stand now, for the pane beside the form. The form itself is never taken from here. */
export const useNews = (opened: FollowupPatient) =>
  useQuery({
    queryKey: ['followup', 'patient', opened.patient.id],
    queryFn: () => backend.call('followup_open', { patient_id: opened.patient.id, look_only: true }),
    initialData: opened,
  })

export const useReasons = () =>
  useQuery({ queryKey: ['followup-content', 'reasons'], queryFn: () => backend.call('followup_reasons', {}) })

export const usePeople = (enabled: MaybeRefOrGetter<boolean> = true) =>
  useQuery({ queryKey: ['staff', 'followup-people'], queryFn: () => backend.call('followup_people', {}), enabled })

export const useAlerts = (request: MaybeRefOrGetter<RequestOf<'followup_alerts'>>) =>
  useQuery({
    queryKey: ['followup', 'alerts', computed(() => toValue(request))],
    queryFn: () => backend.call('followup_alerts', toValue(request)),
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
  })

export const useAlert = (id: MaybeRefOrGetter<string | null>) =>
  useQuery({
    queryKey: ['followup', 'alert', computed(() => toValue(id))],
    queryFn: () => backend.call('followup_alert', { alert_id: toValue(id) ?? '' }),
    enabled: computed(() => toValue(id) !== null),
  })

export const useInbox = (answered: MaybeRefOrGetter<boolean>) =>
  useQuery({
    queryKey: ['followup', 'inbox', computed(() => toValue(answered))],
    queryFn: () => backend.call('followup_inbox', { answered: toValue(answered), limit: 200 }),
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
  })

export const useConsult = (id: MaybeRefOrGetter<string | null>) =>
  useQuery({
    queryKey: ['followup', 'consult', computed(() => toValue(id))],
    queryFn: () => backend.call('followup_consult', { consult_id: toValue(id) ?? '' }),
    enabled: computed(() => toValue(id) !== null),
  })
