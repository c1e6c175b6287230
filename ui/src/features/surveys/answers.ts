import type { AnswerValue } from '@/bindings/AnswerValue'
import type { Question } from '@/bindings/Question'

/** A choice with the key that takes it. */
export interface Choice {
  code: string
  key: string
}

/** The keys of a question: a rating's own points (5 to 1, 0 does not apply), else 1, 2, 3… in order; yes 1, no 0. */
export function choices(question: Question): Choice[] {
  if (question.type === 'bool') return [{ code: 'yes', key: '1' }, { code: 'no', key: '0' }]
  const rated = question.options.some((option) => option.points != null)
  return question.options.map((option, index) => ({ code: option.code, key: rated && /^\d$/.test(option.code) ? option.code : String((index + 1) % 10) }))
}

/** The answer after a choice; null when nothing is left chosen. */
export function chosen(question: Question, answer: AnswerValue | undefined, code: string): AnswerValue | null {
  if (question.type === 'bool') return { type: 'bool', value: code === 'yes' }
  if (question.type === 'single') return { type: 'single', value: code }
  const before = answer?.type === 'multi' ? answer.value : []
  const excludes = (other: string) => question.options.find((option) => option.code === other)?.exclusive === true
  let next: string[]
  if (before.includes(code)) next = before.filter((other) => other !== code)
  else next = excludes(code) ? [code] : [...before.filter((other) => !excludes(other)), code]
  return next.length > 0 ? { type: 'multi', value: next } : null
}

/** Whether a choice is part of the answer. */
export function isChosen(answer: AnswerValue | undefined, code: string): boolean {
  if (answer?.type === 'bool') return answer.value === (code === 'yes')
  if (answer?.type === 'single') return answer.value === code
  return answer?.type === 'multi' && answer.value.includes(code)
}

/** The steps of a scale. */
export function steps(question: Question): number[] {
  const [min, max] = [question.min ?? 0, question.max ?? 10]
  return Array.from({ length: max - min + 1 }, (_, index) => min + index)
}
