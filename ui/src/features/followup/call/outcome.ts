import type { FollowupReason } from '@/bindings/FollowupReason'

/** How many reasons have a key of their own; `0` turns the page. */
export const KEYS = 9

/** The reasons on a page of the keys. */
export function reasonsOn(reasons: readonly FollowupReason[], page: number): FollowupReason[] {
  return reasons.slice(page * KEYS, (page + 1) * KEYS)
}

/** The page after this one; the first again at the end. */
export function pageAfter(reasons: readonly FollowupReason[], page: number): number {
  return (page + 1) * KEYS < reasons.length ? page + 1 : 0
}

/** Whether one key is enough: nothing more has to be asked, and nothing is changed for good. */
export function isPlain(reason: FollowupReason): boolean {
  return !reason.asks_time && !reason.asks_remark && !reason.grave
}

/** What still has to be given before a reason can be saved: the name of a text, or null. */
export function lacking(reason: FollowupReason, given: { remark: string; appointment_at: number | null; confirmed: boolean }): 'remark' | 'confirm' | null {
  if (reason.asks_remark && given.remark.trim() === '') return 'remark'
  return reason.grave && !given.confirmed ? 'confirm' : null
}
