import type { ResponseOf } from '@/backend'

export type AuditEntry = ResponseOf<'audit_list'>['entries'][number]

/** What the trail is looked through by: the beginning of an action's name. */
export const AREAS = ['session', 'archive', 'followup', 'imports', 'forms', 'reports', 'settings', 'staff', 'audit'] as const

/** The details of a line in one: `rows 12 · reveal false`. */
export function details(detail: Record<string, unknown>): string {
  return Object.entries(detail)
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join(' · ')
}
