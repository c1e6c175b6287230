import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/vue-query'
import { backend, type RequestOf, type ResponseOf } from '@/backend'

export type Scope = RequestOf<'surveys_results'>['scope']
export type Results = ResponseOf<'surveys_results'>
export type Group = Results['departments'][number]
export type RowsOf = RequestOf<'surveys_rows'>['of']
/** Which rows: those of a figure, perhaps of one dimension or round. */
export type RowsFilter = Pick<RequestOf<'surveys_rows'>, 'scope' | 'of' | 'dimension' | 'round_id'>

const PAGE = 100

/** Questionnaires and departments: they change with settings and imports only. */
export const useContent = () => useQuery({ queryKey: ['settings', 'surveys-content'], queryFn: () => backend.call('surveys_content', {}) })

export const useResults = (scope: MaybeRefOrGetter<Scope>) =>
  useQuery({ queryKey: ['surveys', 'results', computed(() => toValue(scope))], queryFn: () => backend.call('surveys_results', { scope: toValue(scope) }), placeholderData: keepPreviousData })

/** Asked apart: it reads visits, which may be many. */
export const useLoyalty = (scope: MaybeRefOrGetter<Scope>) =>
  useQuery({ queryKey: ['surveys', 'loyalty', computed(() => toValue(scope))], queryFn: () => backend.call('surveys_loyalty', { scope: toValue(scope) }), placeholderData: keepPreviousData })

export const useRows = (filter: MaybeRefOrGetter<RowsFilter>) =>
  useInfiniteQuery({
    queryKey: ['surveys', 'rows', computed(() => toValue(filter))],
    queryFn: ({ pageParam }) => backend.call('surveys_rows', { ...toValue(filter), cursor: pageParam, limit: PAGE }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
  })

export const useSheet = (id: MaybeRefOrGetter<string>) =>
  useQuery({ queryKey: ['surveys', 'sheet', computed(() => toValue(id))], queryFn: () => backend.call('surveys_sheet_open', { id: toValue(id) }) })

export const useRounds = () => useQuery({ queryKey: ['surveys', 'rounds'], queryFn: () => backend.call('surveys_rounds', {}) })

export const useQueue = (roundId: MaybeRefOrGetter<string>) =>
  useQuery({
    queryKey: ['surveys', 'queue', computed(() => toValue(roundId))],
    queryFn: () => backend.call('surveys_queue', { round_id: toValue(roundId), open_only: false }),
    // Agreed times come without anything being written.
    refetchInterval: 60_000,
  })
