import type { RequestOf, ResponseOf } from '@/backend'
import type { Role } from '@/bindings/Role'

export type Member = ResponseOf<'staff_list'>['members'][number]
export type PersonForm = RequestOf<'staff_save'>

/** In the order of the day's work; the administrator's and the auditor's last. */
export const ROLES: readonly Role[] = ['nurse', 'supervisor', 'archivist', 'doctor', 'department_head', 'approver', 'attendance_clerk', 'administrator', 'auditor']

/** Signs that nobody mishears or mistakes when a password is told by mouth. */
const CLEAR_SIGNS = 'abcdefghjkmnpqrstuvwxyz23456789'

/** The form of a new person, or of one that is there. */
export function formOf(member: Member | null): PersonForm {
  if (!member) return { id: null, login: '', display_name: '', job_number: '', department: '', roles: ['nurse'], active: true, password: '' }
  const { id, login, display_name, job_number, department, roles, active } = member
  return { id, login, display_name, job_number, department, roles: [...roles], active, password: null }
}

/** The administrator does not check himself. */
export function clash(roles: readonly Role[]): boolean {
  return roles.includes('administrator') && roles.includes('auditor')
}

/** A password of three groups, from random bytes: as many as `signs` signs, at least twelve, capitals and digits among them. */
export function passwordFrom(bytes: Uint8Array, signs: number): string {
  const length = Math.max(12, signs)
  const chosen = Array.from({ length }, (_, index) => CLEAR_SIGNS[(bytes[index % bytes.length] ?? 0) % CLEAR_SIGNS.length] ?? 'a').join('')
  // One of each kind, so that no policy refuses it.
  const groups = `A${chosen.slice(1, -1)}7`.match(/.{1,4}/g) ?? []
  return groups.join('-')
}

/** Random bytes are taken where the page is, so that tests can choose theirs. */
export function newPassword(signs: number): string {
  return passwordFrom(crypto.getRandomValues(new Uint8Array(64)), signs)
}
