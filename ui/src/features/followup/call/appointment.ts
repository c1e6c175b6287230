/** Words that people type for days and times, in the user's language; each a list. */
export interface WhenWords {
  today: string[]
  tomorrow: string[]
  dayAfter: string[]
  morning: string[]
  afternoon: string[]
  evening: string[]
  nextWeek: string[]
  /** Monday first; every way to write a day in its own list. */
  weekdays: string[][]
  /** Stands between hour and minute. */
  hour: string[]
  half: string[]
}

const DAY_MS = 86_400_000
const ZONE_MS = 8 * 3_600_000
/** When a day was named and no time: the first quarter of an hour in which patients like to answer. */
const USUAL = { morning: '09:00', afternoon: '14:30', evening: '18:30' }

/** The hospital's calendar day of an instant. */
export function hospitalDay(at: number): string {
  return new Date(at + ZONE_MS).toISOString().slice(0, 10)
}

/** An instant from the hospital's day and clock. */
export function hospitalInstant(day: string, clock: string): number {
  return Date.parse(`${day}T${clock.padStart(5, '0')}:00+08:00`)
}

function replaceAll(text: string, words: string[], by: string): string {
  return [...words].sort((a, b) => b.length - a.length).reduce((out, word) => out.split(word).join(by), text)
}

function plainSigns(text: string): string {
  return text.replace(/[\uff01-\uff5e]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0)).toLowerCase()
}

/** Brings the words to marks: `<d1>` in a day, `<w3>` on Thursday, `<pm>`. */
function marked(text: string, words: WhenWords): string {
  let out = plainSigns(text)
  words.weekdays.forEach((names, index) => (out = replaceAll(out, names, ` <w${index}> `)))
  out = replaceAll(out, words.dayAfter, ' <d2> ')
  out = replaceAll(out, words.tomorrow, ' <d1> ')
  out = replaceAll(out, words.today, ' <d0> ')
  out = replaceAll(out, words.afternoon, ' <pm> ')
  out = replaceAll(out, words.evening, ' <eve> ')
  out = replaceAll(out, words.morning, ' <am> ')
  // After the parts of the day: one sign may begin both.
  out = replaceAll(out, words.nextWeek, ' <next> ')
  out = replaceAll(out, words.hour, ':')
  return replaceAll(out, words.half, '30')
}

function dayOfText(text: string, today: string): { day: string | null; rest: string } {
  const from = Date.parse(today)
  const at = (days: number) => new Date(from + days * DAY_MS).toISOString().slice(0, 10)
  const near = /<d(\d)>/.exec(text)
  if (near) return { day: at(Number(near[1])), rest: text.replace(near[0], ' ') }
  const week = /<w(\d)>/.exec(text)
  if (week) {
    const weekday = (new Date(from).getUTCDay() + 6) % 7
    const monday = text.includes('<next>')
    const ahead = monday ? 7 - weekday + Number(week[1]) : (Number(week[1]) - weekday + 7) % 7
    return { day: at(ahead), rest: text.replace(week[0], ' ').replace('<next>', ' ') }
  }
  const whole = /(\d{4})-(\d{1,2})-(\d{1,2})/.exec(text)
  if (whole) return { day: `${whole[1]}-${whole[2]?.padStart(2, '0')}-${whole[3]?.padStart(2, '0')}`, rest: text.replace(whole[0], ' ') }
  const short = /\b(\d{1,2})[-/](\d{1,2})\b/.exec(text)
  if (!short) return { day: null, rest: text }
  const named = `${today.slice(0, 4)}-${short[1]?.padStart(2, '0')}-${short[2]?.padStart(2, '0')}`
  const day = named < today ? `${Number(today.slice(0, 4)) + 1}${named.slice(4)}` : named
  return { day, rest: text.replace(short[0], ' ') }
}

function clockOfText(text: string): string | null {
  const late = text.includes('<pm>') || text.includes('<eve>')
  const found = /(\d{1,2}):(\d{2})?/.exec(text) ?? /\b(\d{1,2})(\d{2})\b/.exec(text) ?? /\b(\d{1,2})\b/.exec(text)
  if (!found) {
    if (text.includes('<eve>')) return USUAL.evening
    if (text.includes('<pm>')) return USUAL.afternoon
    return /[^\s<>a-z]/.test(text) ? null : USUAL.morning
  }
  const hour = Number(found[1]) + (late && Number(found[1]) < 12 ? 12 : 0)
  const minute = Number(found[2] ?? 0)
  return hour < 24 && minute < 60 ? `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}` : null
}

/**
 * Reads an agreed time as it is typed: `tomorrow 9:30`, `mon 15`, `11-25 930` and their Chinese. Milliseconds UTC; null while it
 * cannot be read, or when it lies in the past.
 */
export function readWhen(text: string, now: number, words: WhenWords): number | null {
  if (text.trim() === '') return null
  const today = hospitalDay(now)
  const { day, rest } = dayOfText(marked(text, words), today)
  const clock = clockOfText(rest)
  if (clock === null || (day === null && !/\d|<(pm|eve|am)>/.test(rest))) return null
  const chosen = day ?? (hospitalInstant(today, clock) > now ? today : hospitalDay(now + DAY_MS))
  const at = hospitalInstant(chosen, clock)
  return Number.isNaN(at) || at <= now ? null : at
}

/** Times to offer with one click: later today, the next two days' morning and afternoon. */
export function offers(now: number): number[] {
  const today = hospitalDay(now)
  const days = [today, hospitalDay(now + DAY_MS), hospitalDay(now + 2 * DAY_MS)]
  const all = days.flatMap((day) => ['09:30', '15:00', '18:30'].map((clock) => hospitalInstant(day, clock)))
  return all.filter((at) => at > now + 30 * 60_000).slice(0, 6)
}
