import type { Form } from '@/bindings/Form'
import type { Question } from '@/bindings/Question'

/** How a question is compared. `in` has several values, `answered` and `silent` none. */
export type Operator = '==' | '!=' | '>' | '>=' | '<' | '<=' | 'in' | 'chosen' | 'not_chosen' | 'answered' | 'silent'

/** One line of a condition. */
export interface Term {
  name: string
  operator: Operator
  value: string | number | boolean | string[] | null
}

/** Lines joined all by "and" or all by "or". */
export interface Simple {
  join: 'and' | 'or'
  terms: Term[]
}

/** What a line may ask about. */
export interface Asked {
  name: string
  kind: 'choice' | 'choices' | 'bool' | 'number' | 'date' | 'text'
  options: { code: string; question: Question | null }[]
  question: Question | null
}

/** What a condition of the form may ask about; `before` leaves out the questions from that place on. */
export function askable(form: Form, before?: number): Asked[] {
  const list: Asked[] = []
  for (const question of form.questions.slice(0, before ?? form.questions.length)) {
    const options = question.options.map((option) => ({ code: option.code, question }))
    const of = (name: string, kind: Asked['kind']) => list.push({ name, kind, options, question })
    if (question.type === 'single') of(question.id, 'choice')
    else if (question.type === 'multi') of(question.id, 'choices')
    else if (question.type === 'bp') ['sbp', 'dbp'].forEach((half) => of(`${question.id}.${half}`, 'number'))
    else if (question.type === 'number' || question.type === 'scale') of(question.id, 'number')
    else if (question.type !== 'note') of(question.id, question.type)
  }
  if (before === undefined) {
    form.calculations.forEach((one) => list.push({ name: one.id, kind: 'number', options: [], question: null }))
    if (form.classes.length) list.push({ name: 'class', kind: 'choice', options: form.classes.map((rule) => ({ code: rule.class, question: null })), question: null })
  }
  list.push({ name: 'patient.age', kind: 'number', options: [], question: null })
  return list
}

const COMPARED: Operator[] = ['==', '!=', '>', '>=', '<', '<=']
const OPERATORS: Record<Asked['kind'], Operator[]> = {
  choice: ['==', '!=', 'in'], choices: ['chosen', 'not_chosen'], bool: ['=='], number: COMPARED, date: COMPARED, text: [],
}

/** The operators for a kind of answer; only questions can be left unanswered. */
export function operatorsOf(asked: Asked): Operator[] {
  return [...OPERATORS[asked.kind], ...(asked.question && !asked.name.includes('.') ? ['answered' as const, 'silent' as const] : [])]
}

function quote(text: string): string {
  return `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`
}

function literal(value: Term['value']): string {
  return typeof value === 'string' ? quote(value) : String(value)
}

/** Whether a line lacks its value. */
export function isOpen(term: Term): boolean {
  if (term.operator === 'answered' || term.operator === 'silent') return term.name === ''
  return term.name === '' || term.value === null || term.value === '' || (Array.isArray(term.value) && term.value.length === 0)
}

function writeTerm({ name, operator, value }: Term): string {
  if (operator === 'answered') return `answered(${name})`
  if (operator === 'silent') return `!answered(${name})`
  if (operator === 'chosen') return `chosen(${name}, ${literal(value)})`
  if (operator === 'not_chosen') return `!chosen(${name}, ${literal(value)})`
  if (operator === 'in') return `${name} in [${(value as string[]).map(quote).join(', ')}]`
  return `${name} ${operator} ${literal(value)}`
}

/** The condition in the language of the core. */
export function write(simple: Simple): string {
  return simple.terms.filter((term) => !isOpen(term)).map(writeTerm).join(simple.join === 'and' ? ' && ' : ' || ')
}

const NAME = '([a-z][a-z0-9_]*(?:\\.[a-z]+)?)'
const TEXT = "'((?:[^'\\\\]|\\\\['\\\\])*)'"
const unquote = (text: string) => text.replace(/\\(['\\])/g, '$1')

/** One line; null when it is not of the simple kind. */
function readTerm(source: string): Term | null {
  const text = source.trim()
  let found = new RegExp(`^(!?)answered\\(\\s*${NAME}\\s*\\)$`).exec(text)
  if (found) return { name: found[2]!, operator: found[1] ? 'silent' : 'answered', value: null }
  found = new RegExp(`^(!?)chosen\\(\\s*${NAME}\\s*,\\s*${TEXT}\\s*\\)$`).exec(text)
  if (found) return { name: found[2]!, operator: found[1] ? 'not_chosen' : 'chosen', value: unquote(found[3]!) }
  found = new RegExp(`^${NAME}\\s+in\\s+\\[\\s*(${TEXT}(?:\\s*,\\s*${TEXT})*)\\s*\\]$`).exec(text)
  if (found) return { name: found[1]!, operator: 'in', value: [...found[2]!.matchAll(new RegExp(TEXT, 'g'))].map((one) => unquote(one[1]!)) }
  found = new RegExp(`^${NAME}\\s*(==|!=|>=|<=|>|<)\\s*(?:${TEXT}|(-?\\d+(?:\\.\\d+)?)|(true|false))$`).exec(text)
  if (found) {
    const value = found[3] !== undefined ? unquote(found[3]) : found[4] !== undefined ? Number(found[4]) : found[5] === 'true'
    return { name: found[1]!, operator: found[2] as Operator, value }
  }
  found = new RegExp(`^(!?)${NAME}$`).exec(text)
  return found ? { name: found[2]!, operator: '==', value: found[1] === '' } : null
}

/** Cuts at an operator that does not stand in quotation marks. */
function cut(source: string, at: '&&' | '||'): string[] {
  const parts = ['']
  let quoted = false
  for (let place = 0; place < source.length; place += 1) {
    const letter = source[place]!
    if (letter === '\\' && quoted) {
      parts[parts.length - 1] += letter + (source[place + 1] ?? '')
      place += 1
    } else if (!quoted && source.startsWith(at, place)) {
      parts.push('')
      place += 1
    } else {
      if (letter === "'") quoted = !quoted
      parts[parts.length - 1] += letter
    }
  }
  return parts
}

/** The lines of a condition; null when it is more than lines joined by one word, or asks about what the form does not have. */
export function read(source: string, known: Asked[]): Simple | null {
  if (source.trim() === '') return { join: 'and', terms: [] }
  for (const [join, sign] of [['and', '&&'], ['or', '||']] as const) {
    const terms = cut(source, sign).map(readTerm)
    const fits = (term: Term | null): term is Term => {
      const asked = known.find((one) => one.name === term?.name)
      if (!term || !asked || !operatorsOf(asked).includes(term.operator)) return false
      if (term.value === null) return true
      if (asked.kind === 'number') return typeof term.value === 'number'
      if (asked.kind === 'bool') return typeof term.value === 'boolean'
      return typeof term.value === 'string' || Array.isArray(term.value)
    }
    if (terms.every(fits)) return { join, terms }
  }
  return null
}
