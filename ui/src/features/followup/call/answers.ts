import type { AnswerValue } from '@/bindings/AnswerValue'
import type { Question } from '@/bindings/Question'

/** Full-width digits and signs of a Chinese input method as plain ones. */
export function plain(text: string): string {
  return text.replace(/[\uff01-\uff5e]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0)).replace(/\u3002/g, '.').trim()
}

/** A typed number; null when it is none. */
export function readNumber(text: string): AnswerValue | null {
  const typed = plain(text)
  return /^-?\d+(\.\d+)?$/.test(typed) ? { type: 'number', value: Number(typed) } : null
}

/** A typed blood pressure: `138/86`, `138 86`, `138-86`, or the upper value alone. */
export function readPressure(text: string): AnswerValue | null {
  const found = /^(\d{2,3})(?:\s*[/\s\-.,]\s*(\d{2,3}))?$/.exec(plain(text))
  if (!found) return null
  return { type: 'bp', value: { sbp: Number(found[1]), dbp: found[2] ? Number(found[2]) : null } }
}

function realDay(year: number, month: number, day: number): string | null {
  const date = new Date(Date.UTC(year, month - 1, day))
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.toISOString().slice(0, 10) : null
}

/** A typed day: `2026-11-22`, `20261122`, `11-22`, `1122`. Without a year it is the one nearest to `today`. */
export function readDay(text: string, today: string): string | null {
  const typed = plain(text).replace(/[./\u5e74\u6708]/g, '-').replace(/\u65e5$/, '')
  const whole = /^(\d{4})-?(\d{1,2})-?(\d{1,2})$/.exec(typed)
  if (whole && (typed.includes('-') || typed.length === 8)) return realDay(Number(whole[1]), Number(whole[2]), Number(whole[3]))
  const short = /^(\d{1,2})-(\d{1,2})$/.exec(typed) ?? /^(\d{2})(\d{2})$/.exec(typed)
  if (!short) return null
  const year = Number(today.slice(0, 4))
  const days = [year - 1, year, year + 1].flatMap((y) => realDay(y, Number(short[1]), Number(short[2])) ?? [])
  const far = (day: string) => Math.abs(Date.parse(day) - Date.parse(today))
  return days.sort((a, b) => far(a) - far(b))[0] ?? null
}

/** The answer after option `index` was chosen; null when nothing is left chosen. */
export function choose(question: Question, answer: AnswerValue | undefined, index: number): AnswerValue | null | undefined {
  if (question.type === 'bool') return index > 1 ? undefined : { type: 'bool', value: index === 0 }
  const option = question.options[index]
  if (!option) return undefined
  if (question.type === 'single') return { type: 'single', value: option.code }
  const chosen = answer?.type === 'multi' ? answer.value : []
  const excludes = (code: string) => question.options.find((other) => other.code === code)?.exclusive === true
  let next: string[]
  if (chosen.includes(option.code)) next = chosen.filter((code) => code !== option.code)
  else if (option.exclusive) next = [option.code]
  else next = [...chosen.filter((code) => !excludes(code)), option.code]
  const inOrder = question.options.map((other) => other.code).filter((code) => next.includes(code))
  return inOrder.length > 0 ? { type: 'multi', value: inOrder } : null
}

/** True when option `index` is part of the answer. */
export function isChosen(question: Question, answer: AnswerValue | undefined, index: number): boolean {
  if (answer?.type === 'bool') return answer.value === (index === 0)
  const code = question.options[index]?.code ?? ''
  if (answer?.type === 'single') return answer.value === code
  return answer?.type === 'multi' && answer.value.includes(code)
}

/** The steps of a scale. */
export function steps(question: Question): number[] {
  const from = question.min ?? 0
  const by = question.step ?? 1
  const count = Math.min(Math.floor(((question.max ?? 10) - from) / by) + 1, 101)
  return Array.from({ length: count }, (_, i) => from + i * by)
}

/**
 * A digit typed on a scale. `10` takes two digits: the second one follows the first. `settled` says that no longer
 * value can begin with what was typed, so that the next question may come.
 */
export function typeScale(question: Question, before: string, digit: string): { typed: string; value: number | null; settled: boolean } {
  const all = steps(question)
  const longer = before + digit
  const typed = all.some((step) => String(step).startsWith(longer)) ? longer : digit
  const value = all.includes(Number(typed)) ? Number(typed) : null
  return { typed, value, settled: value !== null && !all.some((step) => String(step) !== typed && String(step).startsWith(typed)) }
}

/** What stands in a typed field for an answer. */
export function asTyped(answer: AnswerValue | undefined | null): string {
  if (!answer) return ''
  if (answer.type === 'bp') return answer.value.dbp === null ? String(answer.value.sbp) : `${answer.value.sbp}/${answer.value.dbp}`
  return answer.type === 'number' || answer.type === 'text' || answer.type === 'date' ? String(answer.value) : ''
}
