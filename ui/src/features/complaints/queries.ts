import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/vue-query'
import { backend, type RequestOf } from '@/backend'
import type { ComplaintDetail } from '@/bindings/ComplaintDetail'

/** Everything of a list's request but where its page begins. */
export type ListFilter = Omit<RequestOf<'complaints_list'>, 'cursor' | 'limit'>

const PAGE = 100

/** Complaints of a filter, page by page. Deadlines come without anything being written. */
export const useComplaints = (filter: MaybeRefOrGetter<ListFilter>) =>
  useInfiniteQuery({
    queryKey: ['complaints', 'list', computed(() => toValue(filter))],
    queryFn: ({ pageParam }) => backend.call('complaints_list', { ...toValue(filter), cursor: pageParam, limit: PAGE }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
  })

export const useBoard = () =>
  useQuery({ queryKey: ['complaints', 'board'], queryFn: () => backend.call('complaints_board', {}), refetchInterval: 60_000 })

export const useComplaint = (id: MaybeRefOrGetter<string>) =>
  useQuery({ queryKey: ['complaints', 'one', computed(() => toValue(id))], queryFn: () => backend.call('complaints_open', { id: toValue(id) }) })

/** The tables: they change with the program and the settings only. */
export const useContent = () => useQuery({ queryKey: ['settings', 'complaints-content'], queryFn: () => backend.call('complaints_content', {}) })

export const usePeople = () => useQuery({ queryKey: ['staff', 'complaints-people'], queryFn: () => backend.call('complaints_people', {}) })

/** Puts the answer of an act where the page reads it, and has the lists asked again. */
export function useShown() {
  const client = useQueryClient()
  return (detail: ComplaintDetail) => {
    client.setQueryData(['complaints', 'one', detail.item.id], detail)
    void client.invalidateQueries({ queryKey: ['complaints', 'list'] })
    void client.invalidateQueries({ queryKey: ['complaints', 'board'] })
  }
}
