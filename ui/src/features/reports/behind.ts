import type { FigureCode } from '@/bindings/FigureCode'
import type { ReportsFilter } from '@/bindings/ReportsFilter'
import type { SurveyScope } from '@/bindings/SurveyScope'
import { isPeriod } from './period'
import type { Asked, Cell, Scope } from './queries'

/** Figures whose rows can be looked at. */
export const CODES: FigureCode[] = [
  'followup_ratio', 'expected_ratio', 'completion', 'timeliness', 'connection_by_call', 'connection_by_patient', 'lost', 'red_in_time', 'orange_in_time', 'yellow_in_time',
  'tasks_done', 'funnel_called', 'funnel_reached', 'funnel_completed', 'complaint_category', 'complaint_ageing', 'complaint_in_time',
]
/** What of the address says which rows are looked at, beside the page's own filters. */
export const SHUT = { rows: undefined, part: undefined, cell: undefined, slice: undefined, r_from: undefined, r_to: undefined, r_nurse: undefined, r_department: undefined, r_dimension: undefined }
export type RowsQuery = Partial<Record<keyof typeof SHUT, string>>

/** Reads `3-10`: Wednesday, ten o'clock. */
export function readCell(text: string): Cell | null {
  const [weekday, hour] = text.split('-').map(Number)
  const fits = /^\d-\d{1,2}$/.test(text) && weekday !== undefined && hour !== undefined && weekday >= 1 && weekday <= 7 && hour < 24
  return fits ? { weekday, hour } : null
}

/** The rows that an address asks for: those of the page's scope, narrowed to the bar or cell that was chosen. */
export function readRows(word: (name: string) => string, scope: Scope): Asked | null {
  const code = CODES.find((one) => one === word('rows'))
  if (!code) return null
  const days = isPeriod(word('r_from'), word('r_to')) ? { from: word('r_from'), to: word('r_to') } : {}
  return {
    code,
    numerator: word('part') !== 'all',
    cell: code === 'connection_by_call' ? readCell(word('cell')) : null,
    slice: word('slice') || null,
    scope: { ...scope, ...days, ...(word('r_nurse') ? { nurse: word('r_nurse') } : {}), ...(word('r_department') ? { department: word('r_department') } : {}) },
  }
}

/** The sheets of a page's scope: they know neither plan nor nurse. */
export function surveyScope({ from, to, department, site }: Scope): SurveyScope {
  return { from, to, kind: null, department, doctor: null, site_id: site ?? null }
}

/** The filters that are set and say nothing about a figure. */
export function passedOver(without: ReportsFilter[], scope: Scope): ReportsFilter[] {
  return without.filter((filter) => filter === 'period' || (filter === 'plan' ? scope.plan : scope.nurse))
}
