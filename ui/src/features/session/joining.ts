import { BackendError } from '@/backend'
import { hasText, t } from '@/app/i18n'
import { codeText } from '@/shared/feedback/errorText'

/** The steps of joining a server, in their order. */
export const JOIN_STEPS = ['server', 'check', 'person', 'code', 'fill'] as const
export type JoinStep = (typeof JOIN_STEPS)[number]

/** Beside which input a fault belongs: what somebody would look at again. */
const BESIDE: Record<string, 'address' | 'code' | 'password'> = {
  sync_unreachable: 'address', sync_wrong_server: 'address', sync_clock: 'address', sync_closed: 'address', sync_upgrade: 'address',
  sync_server_busy: 'address', sync_server_fault: 'address',
  sync_bad_code: 'code', sync_code_wrong: 'code', sync_code_without_sites: 'code', sync_code_without_history: 'code', sync_quota: 'code',
  sync_login: 'password', forbidden: 'password',
}

/** The input of a fault, or null when it belongs to none of them. */
export function fieldOf(error: unknown): 'address' | 'code' | 'password' | null {
  return error instanceof BackendError && error.fields.length === 0 ? (BESIDE[error.code] ?? null) : null
}

/** The words beside an input; empty when the fault is not its own. */
export function faultBeside(error: unknown, field: 'address' | 'code' | 'password'): string {
  if (!(error instanceof BackendError) || fieldOf(error) !== field) return ''
  // While somebody joins or logs in at the server, some faults have more exact words than the general ones.
  const key = `session.fault.${error.code}`
  return hasText(key) ? t(key) : codeText(error.code, error.params)
}
