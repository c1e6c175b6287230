import type { ResponseOf } from '@/backend'

export type AuditEntry = ResponseOf<'audit_list'>['entries'][number]

/** What the trail is looked through by: the beginning of an action's name. */
export const AREAS = ['session', 'archive', 'followup', 'imports', 'forms', 'reports', 'settings', 'staff', 'sync', 'attachments', 'audit'] as const

/** The word for a name or a value of a line; the code itself where there is none. */
type Word = (code: string) => string

/** The details of a line in one: `rows 12 · reveal no`. */
export function details(detail: Record<string, unknown>, word: Word): string {
  const value = (one: unknown): string => {
    if (Array.isArray(one)) return one.map(value).join(', ')
    if (typeof one === 'boolean' || typeof one === 'string') return word(String(one))
    return typeof one === 'object' ? JSON.stringify(one) : String(one)
  }
  return Object.entries(detail)
    .filter(([, one]) => one !== null && one !== '')
    .map(([name, one]) => `${word(name)} ${value(one)}`)
    .join(' · ')
}
