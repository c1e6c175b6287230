import type { ResponseOf } from '@/backend'

export type CalendarYear = ResponseOf<'settings_calendar'>['years'][number]

/** One holiday of a year: its days off, and the weekend days worked for it. */
export interface Holiday {
  name: string
  from: string
  to: string
  off: number
  worked: string[]
}

/** The holidays of a year in the order of their first day off. */
export function holidaysOf(year: CalendarYear): Holiday[] {
  const found = new Map<string, Holiday>()
  for (const day of [...year.days].sort((a, b) => a.on.localeCompare(b.on))) {
    const holiday = found.get(day.name) ?? { name: day.name, from: '', to: '', off: 0, worked: [] }
    found.set(day.name, holiday)
    if (day.off) {
      holiday.from ||= day.on
      holiday.to = day.on
      holiday.off += 1
    } else holiday.worked.push(day.on)
  }
  return [...found.values()].sort((a, b) => a.from.localeCompare(b.from))
}

/** What the calendar lacks today: this year's notice, the next one's (out each November), or nothing. */
export function missingYear(last: number, today: string): 'this_year' | 'next_year' | null {
  const [year = 0, month = 0] = today.split('-').map(Number)
  if (last < year) return 'this_year'
  return last === year && month >= 11 ? 'next_year' : null
}
