/** The periods a report is asked for. */
export const PERIODS = ['this_month', 'last_month', 'quarter', 'year', 'free'] as const
export type PeriodKind = (typeof PERIODS)[number]

/** First and last day, `YYYY-MM-DD`. */
export interface Period {
  from: string
  to: string
}

/** Until this day of the month people still write the report of the month before. */
const REPORTING_DAYS = 10

const text = (year: number, month: number, day: number) => new Date(Date.UTC(year, month, day)).toISOString().slice(0, 10)

function parts(day: string): [number, number, number] {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number)
  return [year, month - 1, date]
}

/** What is looked at first: early in a month the month before, whose report is being written. */
export function firstKind(today: string): Exclude<PeriodKind, 'free'> {
  return parts(today)[2] <= REPORTING_DAYS ? 'last_month' : 'this_month'
}

/** The days of a named period. The current ones end today: what is due tomorrow is not late yet. */
export function daysOf(kind: Exclude<PeriodKind, 'free'>, today: string): Period {
  const [year, month] = parts(today)
  if (kind === 'last_month') return { from: text(year, month - 1, 1), to: text(year, month, 0) }
  if (kind === 'quarter') return { from: text(year, month - (month % 3), 1), to: today }
  if (kind === 'year') return { from: text(year, 0, 1), to: today }
  return { from: text(year, month, 1), to: today }
}

/** True for two days in order that can be asked for. */
export function isPeriod(from: unknown, to: unknown): boolean {
  const day = /^\d{4}-\d{2}-\d{2}$/
  return typeof from === 'string' && typeof to === 'string' && day.test(from) && day.test(to) && from <= to
}
