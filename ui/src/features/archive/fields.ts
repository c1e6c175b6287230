/** Fields of a record in the groups in which people read them. `wide` ones take a whole line. */
export interface FieldSpec {
  name: string
  kind?: 'date' | 'long' | 'choice'
  choices?: readonly string[]
  /** Shown only masked; typing replaces it. */
  masked?: boolean
}

export const GROUPS: { name: string; fields: FieldSpec[] }[] = [
  {
    name: 'identity',
    fields: [
      { name: 'name' },
      { name: 'sex', kind: 'choice', choices: ['1', '2', '0', '9'] },
      { name: 'birth_on', kind: 'date' },
      { name: 'id_type', kind: 'choice', choices: ['01', '02', '03', '04', '05', '06', '07', '99'] },
      { name: 'id_number', masked: true },
      { name: 'mrn' },
      { name: 'outpatient_no' },
      { name: 'card_no' },
    ],
  },
  {
    name: 'life',
    fields: [
      { name: 'address', masked: true },
      { name: 'employer' },
      { name: 'occupation' },
      { name: 'marital', kind: 'choice', choices: ['10', '20', '30', '40', '90'] },
      { name: 'nationality' },
      { name: 'ethnicity' },
      { name: 'native_place' },
      { name: 'insurance' },
      { name: 'blood_type' },
      { name: 'allergies' },
      { name: 'first_seen_on', kind: 'date' },
    ],
  },
  {
    name: 'learned',
    fields: [
      { name: 'best_hour' },
      { name: 'dialect' },
      { name: 'hobbies', kind: 'long' },
      { name: 'habits', kind: 'long' },
      { name: 'wishes', kind: 'long' },
      { name: 'preferences', kind: 'long' },
      { name: 'feedback', kind: 'long' },
      { name: 'remark', kind: 'long' },
    ],
  },
]

/** Every field that a form edits. */
export const FIELDS: FieldSpec[] = GROUPS.flatMap((group) => group.fields)

/** Fields that the core has given a code, and may hold the HIS's own words instead. */
const CODED = ['sex', 'id_type', 'marital']

/** A stored value in words: the table's word for a code, else as it stands. */
export function shown(t: (key: string) => string, te: (key: string) => boolean, field: string, value: string): string {
  const key = `archive.${field}.${value}`
  return CODED.includes(field) && te(key) ? t(key) : value
}

/** What a form changed against what its person saw, as `archive_save` takes it. */
export function changes(seen: Record<string, string>, typed: Record<string, string>): { field: string; was: string | null; value: string | null }[] {
  return FIELDS.flatMap(({ name, masked }) => {
    const was = seen[name] ?? ''
    const value = (typed[name] ?? '').trim()
    // An untouched masked field is empty in the form: it keeps its value.
    if (masked ? value === '' : value === was) return []
    return [{ field: name, was: was || null, value: value || null }]
  })
}
