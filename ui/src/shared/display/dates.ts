import type { Locale } from '@/app/i18n'

/** How much of a date to write. */
export type DateStyle = 'date' | 'short' | 'time' | 'minute'

const DAY = /^(\d{4})-(\d{2})-(\d{2})$/

/** A calendar date has no zone: it is read as that day here, never as midnight in Greenwich. */
export function parseDate(value: string): Date | null {
  const day = DAY.exec(value)
  const date = day ? new Date(Number(day[1]), Number(day[2]) - 1, Number(day[3])) : new Date(value)
  return Number.isNaN(date.getTime()) ? null : date
}

/** Today as `2026-11-22`, by this PC's clock and zone. */
export function isoDay(date: Date): string {
  const two = (n: number) => String(n).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

const STYLES: Record<DateStyle, Intl.DateTimeFormatOptions> = {
  date: { year: 'numeric', month: 'long', day: 'numeric' },
  short: { month: 'numeric', day: 'numeric' },
  time: { hour: '2-digit', minute: '2-digit', hour12: false },
  minute: { year: 'numeric', month: 'numeric', day: 'numeric', hour: '2-digit', minute: '2-digit', hour12: false },
}

/** A date as people write it: 2026年11月22日, 22 November 2026. Unreadable input comes back unchanged. */
export function writeDate(value: string, locale: Locale, style: DateStyle = 'date'): string {
  const date = parseDate(value)
  if (!date) return value
  return new Intl.DateTimeFormat(locale === 'en' ? 'en-GB' : locale, STYLES[style]).format(date)
}

/** Whole days from `today` to `value`: negative is past. */
export function daysFrom(value: string, today: string): number | null {
  const [a, b] = [parseDate(value), parseDate(today)]
  if (!a || !b) return null
  const midnight = (d: Date) => Date.UTC(d.getFullYear(), d.getMonth(), d.getDate())
  return Math.round((midnight(a) - midnight(b)) / 86_400_000)
}
