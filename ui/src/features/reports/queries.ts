import { computed, type Ref } from 'vue'
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/vue-query'
import { backend, type RequestOf } from '@/backend'
import { may } from '@/app/session'
import type { ReportsCell } from '@/bindings/ReportsCell'

export type Cell = ReportsCell
export type Scope = RequestOf<'reports_figures'>['scope']
/** Rows that are looked at: which figure's, which part of it, and where. */
export type Asked = Pick<RequestOf<'reports_rows'>, 'code' | 'numerator' | 'cell' | 'slice' | 'scope'>
/** Rows of one page of the rows behind a figure. */
export const PAGE_ROWS = 200

// The numbers follow every call of every colleague: they are asked anew whenever the page is opened.
const FRESH = { staleTime: 0 } as const

/** The figures of a scope; `every` asks again after so many milliseconds. */
export function useFigures(scope: Ref<Scope>, every: number | false = false) {
  return useQuery({
    queryKey: computed(() => ['reports', 'figures', scope.value]),
    queryFn: () => backend.call('reports_figures', { scope: scope.value }),
    placeholderData: keepPreviousData,
    refetchInterval: every,
    ...FRESH,
  })
}

/** How many patients wait on the worklist; for those who work it. */
export function useQueue(enabled: boolean, every: number) {
  return useQuery({ queryKey: ['followup', 'counts', 'today'], queryFn: () => backend.call('followup_counts', {}), enabled, refetchInterval: every, ...FRESH })
}

/** Departments that have discharged anybody; plans, nurses and sites that anything was counted under. */
export function useDepartments() {
  return useQuery({ queryKey: ['reports', 'departments'], queryFn: () => backend.call('reports_departments', {}), ...FRESH })
}

/** Names of complaints' categories, for those who see complaints. */
export function useComplaintContent() {
  return useQuery({ queryKey: ['settings', 'complaints-content'], queryFn: () => backend.call('complaints_content', {}), enabled: may('complaint_read') })
}

/** The rows behind a figure: those counted above the line, or all below it. */
export function useRows(asked: Ref<Asked>) {
  return useInfiniteQuery({
    queryKey: computed(() => ['reports', 'rows', asked.value]),
    queryFn: ({ pageParam }) => backend.call('reports_rows', { ...asked.value, offset: pageParam, limit: PAGE_ROWS }),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const shown = pages.reduce((sum, page) => sum + page.rows.length, 0)
      return last.rows.length > 0 && shown < last.total ? shown : undefined
    },
    ...FRESH,
  })
}
