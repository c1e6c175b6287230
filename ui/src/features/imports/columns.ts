import type { Inspected } from './queries'

/** What each column fills, by its index; null leaves it out. */
export type Choices = Record<number, string | null>

type Column = Inspected['columns'][number]

/** From here on a match needs nobody's eye. */
export const SURE = 80
/** Fields that several columns may fill. */
const MANY = new Set(['phone', 'contact_phone', 'other_diagnosis', 'other_diagnosis_code', 'surgery'])
const IDENTITIES = ['mrn', 'id_number', 'visit_no', 'outpatient_no', 'card_no']

/** Fields a column can fill, in the order in which a person reads a record. */
export const FIELDS = [
  'mrn', 'name', 'sex', 'birth_date', 'age', 'id_number', 'id_type', 'phone', 'contact_name', 'contact_relation', 'contact_phone', 'address',
  'visit_no', 'visit_count', 'outpatient_no', 'card_no', 'department', 'ward', 'bed', 'admitted_at', 'admitted_hour', 'discharged_at',
  'discharged_hour', 'length_of_stay', 'diagnosis_code', 'diagnosis', 'other_diagnosis_code', 'other_diagnosis', 'surgery', 'surgery_date',
  'delivery_date', 'doctor', 'nurse', 'disposition', 'admit_route', 'pay_mode', 'total_fee', 'next_visit_date', 'nationality', 'ethnicity',
  'marital', 'occupation', 'employer', 'native_place', 'blood_type', 'allergies',
] as const

/** What the columns were taken for: a guess is shown and not taken. */
export function firstChoices(columns: readonly Column[]): Choices {
  return Object.fromEntries(columns.map((column) => [column.index, column.confidence >= SURE ? column.field : null]))
}

/** How a column stands: taken by itself, a guess that waits for a person, or left out. */
export function standing(column: Column, choices: Choices): 'matched' | 'guess' | 'left_out' {
  if (choices[column.index]) return 'matched'
  return column.field && column.confidence < SURE ? 'guess' : 'left_out'
}

/** Gives a column a field, and takes it from another that had it where only one may. */
export function choose(choices: Choices, index: number, field: string | null): Choices {
  const next = { ...choices }
  if (field && !MANY.has(field)) {
    for (const [other, held] of Object.entries(next)) if (held === field) next[Number(other)] = null
  }
  next[index] = field
  return next
}

/** What is needed and has no column yet. */
export function missing(choices: Choices): ('name' | 'identity')[] {
  const held = new Set(Object.values(choices))
  const needed: ('name' | 'identity')[] = []
  if (!held.has('name')) needed.push('name')
  if (!IDENTITIES.some((field) => held.has(field))) needed.push('identity')
  return needed
}

/** The choices as the core takes them. */
export function asRequest(choices: Choices) {
  return Object.entries(choices).map(([index, field]) => ({ index: Number(index), field }))
}

/** How often each reason occurs, the most frequent first. */
export function reasons(problems: readonly { code: string }[]): { code: string; count: number }[] {
  const counts = new Map<string, number>()
  for (const { code } of problems) counts.set(code, (counts.get(code) ?? 0) + 1)
  return [...counts].map(([code, count]) => ({ code, count })).sort((a, b) => b.count - a.count || a.code.localeCompare(b.code))
}
