import type { AlertLevel } from '@/bindings/AlertLevel'
import type { WorklistFilter } from '@/bindings/WorklistFilter'

const PLAIN = ['all', 'mine', 'unassigned', 'flagged', 'overdue'] as const
const LEVELS: readonly string[] = ['red', 'orange', 'yellow']

/** The parts of the list that need nothing more; each has a tab. */
export const TABS = PLAIN

/** A filter as one word, for addresses and for keeping: `all`, `plan:heart_failure`. */
export function writeFilter(filter: WorklistFilter): string {
  return 'value' in filter ? `${filter.kind}:${filter.value}` : filter.kind
}

/** Reads the word; what this version does not know is the whole list. */
export function readFilter(text: unknown): WorklistFilter {
  const word = typeof text === 'string' ? text : ''
  const kind = PLAIN.find((name) => name === word)
  if (kind) return { kind }
  const [name, ...rest] = word.split(':')
  const value = rest.join(':')
  if (value !== '' && (name === 'department' || name === 'plan' || name === 'person')) return { kind: name, value }
  if (name === 'level' && LEVELS.includes(value)) return { kind: name, value: value as AlertLevel }
  return { kind: 'all' }
}
