import { computed, type Ref } from 'vue'
import { useQuery } from '@tanstack/vue-query'
import { backend, type RequestOf, type ResponseOf } from '@/backend'
import { appearance } from '@/app/appearance'

export type Overview = ResponseOf<'reports_month'>
export type Freeze = Overview['freezes'][number]
export type Figure = Overview['figures'][number]
export type SheetKind = RequestOf<'reports_definition_save'>['sheets'][number]

/** Every sheet, in the order that is offered first. */
export const SHEETS: SheetKind[] = ['followup', 'complaints', 'satisfaction', 'workload', 'doctors', 'departments']

/** Until this day of a month people still write the report of the one before; after it too, for it is the last whole one. */
export function lastMonth(today: string): string {
  return moved(today.slice(0, 7), -1)
}

/** A month further or earlier, `YYYY-MM`. */
export function moved(month: string, by: number): string {
  const [year = 2000, number = 1] = month.split('-').map(Number)
  const at = year * 12 + number - 1 + by
  return `${Math.floor(at / 12)}-${String((at % 12) + 1).padStart(2, '0')}`
}

/** True for a month that can be asked for. */
export function isMonth(text: unknown): text is string {
  return typeof text === 'string' && /^20\d\d-(0[1-9]|1[0-2])$/.test(text)
}

/** The list with one of its members moved up (-1) or down (1); the same list where it is at the end. */
export function reordered<T>(list: readonly T[], from: number, by: -1 | 1): T[] {
  const next = [...list]
  const to = from + by
  if (to < 0 || to >= next.length) return next
  const [one] = next.splice(from, 1)
  next.splice(to, 0, one as T)
  return next
}

export const exportLanguage = () => (appearance.locale === 'en' ? 'en' : 'zh-CN')

/** How a month stands. */
export function useMonth(month: Ref<string>) {
  return useQuery({ queryKey: computed(() => ['reports', 'month', month.value]), queryFn: () => backend.call('reports_month', { month: month.value }), staleTime: 0 })
}

/** What came after the month was frozen. */
export function useRestatement(month: Ref<string>, frozen: Ref<boolean>) {
  return useQuery({
    queryKey: computed(() => ['reports', 'restatement', month.value]),
    queryFn: async () => (await backend.call('reports_month_restatement', { month: month.value })).restatement,
    enabled: frozen,
    staleTime: 0,
  })
}

/** Everything that a template may name. */
export function usePlaceholders() {
  return useQuery({ queryKey: computed(() => ['reports', 'placeholders', exportLanguage()]), queryFn: () => backend.call('reports_month_placeholders', { language: exportLanguage() }) })
}
