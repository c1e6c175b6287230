/** The translator, as vue-i18n and the palette have it. */
export type Say = (key: string, values?: Record<string, unknown>) => string

/** Sex and age in one breath: 女 · 47 岁. */
export function identity(t: Say, person: { sex: string; age_years: number | null; age_text?: string | null }): string {
  const age = person.age_years === null ? person.age_text : t('archive.age', { years: person.age_years })
  return [t(`archive.sex.${person.sex}`), age].filter(Boolean).join(' · ')
}

/** Yuan of fen: 20580.60. */
export function yuan(fen: number): string {
  return (fen / 100).toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })
}
