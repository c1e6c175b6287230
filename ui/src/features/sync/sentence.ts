import type { SyncStatus } from '@/bindings/SyncStatus'

/** Faults that no waiting mends: a person has to do something. */
const NEEDS_SOMEBODY = new Set([
  'sync_wrong_server', 'sync_clock', 'sync_revoked', 'sync_wipe', 'sync_closed', 'sync_quota', 'sync_upgrade', 'sync_forked',
  'sync_too_large', 'sync_differs',
])

/** How the desk stands with its server, as one word. */
export type SyncState = 'alone' | 'stuck' | 'filling' | 'paused' | 'running' | 'offline' | 'waiting' | 'never' | 'done'

/** Words with what fills their places. */
export interface Said {
  key: string
  params: Record<string, string | number>
}

/** The fault that counts: a round that somebody stopped, or that a lock ended, is none. */
export function problemOf(status: SyncStatus): string | null {
  return status.problem === 'cancelled' ? null : status.problem
}

/** The one state that is said, the most pressing first. */
export function stateOf(status: SyncStatus): SyncState {
  const problem = problemOf(status)
  if (!status.enrolled) return 'alone'
  if (problem && NEEDS_SOMEBODY.has(problem)) return 'stuck'
  if (status.filling) return status.held || (problem && !status.running) ? 'paused' : 'filling'
  if (status.running) return 'running'
  if (problem) return 'offline'
  if (status.unsent > 0) return 'waiting'
  return status.heard_at === null ? 'never' : 'done'
}

/** How long ago, in the largest unit that fits; a clock that was set back is "just now". */
export function ageOf(then: number, now: number): Said {
  const minutes = Math.floor((now - then) / 60_000)
  if (minutes < 1) return { key: 'sync.age.now', params: {} }
  if (minutes < 60) return { key: 'sync.age.minutes', params: { n: minutes } }
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? { key: 'sync.age.hours', params: { n: hours } } : { key: 'sync.age.days', params: { n: Math.floor(hours / 24) } }
}

/** Whether this PC may be shut down, plainly. Null without a server: nothing depends on it. */
export function shutdown(status: SyncStatus): Said | null {
  const state = stateOf(status)
  if (state === 'alone') return null
  if (status.safe_to_shut_down) return { key: 'sync.safe.yes', params: {} }
  if (status.unsent > 0) {
    const why = state === 'offline' || state === 'paused' ? 'offline' : state === 'stuck' ? 'stuck' : state === 'waiting' ? 'waiting' : 'running'
    return { key: `sync.safe.${why}`, params: { count: status.unsent } }
  }
  if (status.unsent_files > 0 && !status.filling) return { key: 'sync.safe.files', params: { count: status.unsent_files } }
  return { key: 'sync.safe.filling', params: {} }
}

/** How far a first sync is, in whole percent; null when none runs or its end is not known. Never 100 before the end. */
export function filledPercent(status: SyncStatus): number | null {
  return status.filling && status.fill_total ? Math.min(99, Math.floor((status.filled / status.fill_total) * 100)) : null
}

type Write = (key: string, params?: Record<string, unknown>) => string
type WriteTime = (at: number) => string

const written = (t: Write, said: Said) => t(said.key, said.params)

/** The foot of the window: a few short parts, the most important first. */
export function footParts(status: SyncStatus, now: number, t: Write, time: WriteTime): string[] {
  const state = stateOf(status)
  const parts = [state === 'done' && status.heard_at !== null ? t('sync.foot.done', { age: written(t, ageOf(status.heard_at, now)) }) : t(`sync.foot.${state}`)]
  if (state === 'alone') return parts
  const safe = shutdown(status)
  if (safe) parts.push(written(t, safe))
  if (status.unsent > 0 && status.oldest_unsent_at !== null) parts.push(t('sync.foot.oldest', { age: written(t, ageOf(status.oldest_unsent_at, now)) }))
  const percent = filledPercent(status)
  if (percent !== null) parts.push(t('sync.foot.filled', { percent }))
  if ((state === 'offline' || state === 'paused') && !status.held && status.next_at !== null) parts.push(status.next_at > now ? t('sync.foot.retry', { time: time(status.next_at) }) : t('sync.foot.retry_now'))
  if (state === 'offline' && status.heard_at !== null) parts.push(t('sync.foot.heard', { age: written(t, ageOf(status.heard_at, now)) }))
  return parts
}
