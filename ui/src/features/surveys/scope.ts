/** The periods that results are looked at. */
export const PERIODS = ['last_12', 'this_year', 'quarter', 'this_month', 'free'] as const
export type PeriodKind = (typeof PERIODS)[number]

/** First and last day, `YYYY-MM-DD`. */
export interface Days {
  from: string
  to: string
}

const text = (year: number, month: number, day: number) => new Date(Date.UTC(year, month, day)).toISOString().slice(0, 10)

/** The hospital's day of the window's clock. */
export const today = () => new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10)

/** The days of a named period that ends today. */
export function daysOf(kind: Exclude<PeriodKind, 'free'>, on: string): Days {
  const [year = 0, month = 1] = on.split('-').map(Number)
  if (kind === 'this_month') return { from: text(year, month - 1, 1), to: on }
  if (kind === 'quarter') return { from: text(year, month - 1 - ((month - 1) % 3), 1), to: on }
  if (kind === 'this_year') return { from: text(year, 0, 1), to: on }
  return { from: text(year - 1, month, 1), to: on }
}
