import { i18n, t } from '@/app/i18n'
import { GENERAL } from './planDraft'
import type { Form } from '@/bindings/Form'
import type { LocalText } from '@/bindings/LocalText'
import type { NamedCode } from '@/bindings/NamedCode'
import type { PlanProblem } from '@/bindings/PlanProblem'
import type { Question } from '@/bindings/Question'
import type { Timepoint } from '@/bindings/Timepoint'

/** Content in the language of the page, or in the other one when that is empty. */
export function say(text: LocalText | null | undefined): string {
  if (!text) return ''
  const [first, second] = i18n.global.locale.value === 'en' ? [text.en, text.zh] : [text.zh, text.en]
  return first.trim() === '' ? second : first
}

/** The name behind a code of a table; the code itself when the table does not know it. */
export function nameOf(table: NamedCode[], code: string): string {
  return say(table.find((entry) => entry.code === code)?.name) || code
}


/** What a plan without diagnosis codes takes in: the general one all that is left, another one nothing. */
export function emptyMatch(code: string): string {
  return t(code === GENERAL ? 'forms.list.matches_rest' : 'forms.none')
}

/** The words for a mistake in a plan. */
export function problemText(problem: PlanProblem): string {
  return t(`forms.problem.${problem.code}`, Object.fromEntries(problem.params))
}

/** `D7 ±` in words: day 7, from day 5 to day 10. */
export function windowText(timepoint: Timepoint): string {
  const { offset_days: day, window_before: before, window_after: after } = timepoint
  return t('forms.timepoint.window', { from: day - before, to: day + after })
}

/** Puts the question first: `chosen(x, 'y')` reads as "x chosen y". */
function inOrder(source: string): string {
  return source
    .replace(/\bchosen\(\s*(\w+)\s*,\s*('[^']*'|"[^"]*")\s*\)/g, '$1 chosen $2')
    .replace(/\bmentions\(\s*(\w+)\s*,\s*(\[[^\]]*\])\s*\)/g, '$1 mentions $2')
    .replace(/,\s+/g, ',')
    .replace(/\banswered\(\s*(\w+)\s*\)/g, '$1 answered')
}

type Tokens = { text: string; kind: 'name' | 'code' | 'operator' | 'other' }[]

/** Cuts a condition into names, codes and operators. */
export function tokens(source: string): Tokens {
  const found: Tokens = []
  const pattern = /'([^']*)'|"([^"]*)"|([A-Za-z_][\w.]*)|(&&|\|\||[=!<>]=|[<>!])|(\s+)|([\s\S])/g
  for (const [whole, single, double, name, operator] of source.matchAll(pattern)) {
    if (single !== undefined || double !== undefined) found.push({ text: single ?? double ?? '', kind: 'code' })
    else if (name !== undefined) found.push({ text: name, kind: 'name' })
    else if (operator !== undefined) found.push({ text: operator, kind: 'operator' })
    else found.push({ text: whole, kind: 'other' })
  }
  return found
}

const OPERATORS: Record<string, string> = {
  '&&': 'and', '||': 'or', '!': 'not', '==': 'is', '!=': 'is_not', '>=': 'at_least', '<=': 'at_most', '>': 'above', '<': 'below',
}

/** A condition as people would read it. Only for reading: what it means, the core decides. */
export function explain(source: string, form: Form): string {
  let asked: Question | undefined
  const words = tokens(inOrder(source)).map(({ text, kind }) => {
    if (kind === 'operator') return ` ${t(`forms.expr.${OPERATORS[text] ?? 'is'}`)} `
    if (kind === 'code') {
      const option = asked?.options.find((one) => one.code === text)
      return option ? say(option.label) : say(form.classes.find((rule) => rule.class === text)?.label) || text
    }
    if (text === '[' || text === ']') return ''
    if (kind !== 'name') return text === ',' ? t('forms.separator') : text
    if (text === 'in') return ` ${t('forms.expr.one_of')} `
    const [root, field] = text.split('.')
    asked = form.questions.find((question) => question.id === root) ?? asked
    if (asked?.id === root) return say(asked?.text) + (field ? ` ${t(`forms.expr.${field}`)}` : '')
    return knownName(text, form)
  })
  return words.join('').replace(/\s+/g, ' ').trim()
}

const NAMES: Record<string, string> = {
  'patient.age': 'age', 'patient.sex': 'sex', 'patient.vip': 'vip', 'score.lace': 'lace', 'last.class': 'last_class', class: 'class',
  days_since_anchor: 'days', lowest_points: 'lowest', chosen: 'chosen', answered: 'answered', mentions: 'mentions', points: 'points',
  true: 'yes', false: 'no', 'encounter.chemo': 'chemo', 'encounter.new_insulin': 'insulin', 'encounter.leave_mode': 'leave_mode',
  'encounter.stay_days': 'stay', 'delivery.stillbirth': 'stillbirth', 'delivery.baby_deceased': 'baby_deceased',
}

function knownName(text: string, form: Form): string {
  const calculation = form.calculations.find((one) => one.id === text)
  if (calculation) return say(calculation.label)
  const key = NAMES[text]
  return key ? ` ${t(`forms.expr.${key}`)} ` : text
}
