import type { Locale } from '@/app/i18n'

/** How much of a date to write. */
export type DateStyle = 'date' | 'short' | 'time' | 'minute'
/** A calendar day `2026-11-22`, the hospital's wall clock `2026-11-22T09:30`, or an instant: ISO with a zone, or milliseconds UTC. */
export type DateValue = string | number

/** Instants are shown by the hospital's clock, whatever zone this PC believes in: the core reckons the same way. */
const HOSPITAL_ZONE = 'Asia/Shanghai'
const DAY = /^\d{4}-\d{2}-\d{2}$/
const WALL = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/
const INSTANT = /^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:\d{2})$/

/** The moment and the zone it has to be read in; null when it is no date. A day or a wall clock has no zone to convert. */
function placed(value: DateValue): { date: Date; timeZone: string } | null {
  const text = String(value)
  let found: { date: Date; timeZone: string } | null = null
  if (typeof value === 'number' || INSTANT.test(text)) found = { date: new Date(value), timeZone: HOSPITAL_ZONE }
  else if (DAY.test(text)) found = { date: new Date(`${text}T00:00Z`), timeZone: 'UTC' }
  else if (WALL.test(text)) found = { date: new Date(`${text.replace(' ', 'T')}Z`), timeZone: 'UTC' }
  return found && !Number.isNaN(found.date.getTime()) ? found : null
}

/** The calendar day of a value at the hospital, as `2026-11-22`; null when it is no date. */
export function dayOf(value: DateValue): string | null {
  const found = placed(value)
  return found && new Intl.DateTimeFormat('sv-SE', { timeZone: found.timeZone }).format(found.date)
}

const CLOCK: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }
const STYLES: Record<DateStyle, Intl.DateTimeFormatOptions> = {
  date: { year: 'numeric', month: 'short', day: 'numeric' },
  short: { month: 'short', day: 'numeric' },
  time: CLOCK,
  minute: { year: 'numeric', month: 'short', day: 'numeric', ...CLOCK },
}

/** A date as people write it: 2026年11月22日, 22 Nov 2026. Unreadable input comes back unchanged. */
export function writeDate(value: DateValue, locale: Locale, style: DateStyle = 'date'): string {
  const found = placed(value)
  if (!found) return String(value)
  return new Intl.DateTimeFormat(locale === 'en' ? 'en-GB' : locale, { ...STYLES[style], timeZone: found.timeZone }).format(found.date)
}

/** Whole days from `today` to `value`: negative is past. */
export function daysFrom(value: DateValue, today: DateValue): number | null {
  const [a, b] = [dayOf(value), dayOf(today)]
  return a && b ? Math.round((Date.parse(a) - Date.parse(b)) / 86_400_000) : null
}
