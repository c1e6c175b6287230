import { computed, readonly, ref, shallowRef } from 'vue'
import { backend, type ResponseOf } from '@/backend'
import type { Permission } from '@/bindings/Permission'
import { discardDrafts, flushDrafts } from './drafts'
import { startIdleWatch } from './idle'
import { queryClient } from './query'

export type SessionStatus = ResponseOf<'session_status'>

const status = shallowRef<SessionStatus | null>(null)
/** Who was working before the screen was locked; null before anybody logged in. */
const lockedUser = shallowRef<SessionStatus['user'] | null>(null)
const generation = ref(0)

function takeOver() {
  discardDrafts()
  generation.value += 1
}

/** Takes a new answer about the session. What was cached of patients goes when the session is not open. */
export function acceptStatus(next: SessionStatus): void {
  const previous = status.value
  if (next.state !== 'open') {
    if (previous?.state === 'open') lockedUser.value = previous.user
    queryClient.clear()
  } else if (previous?.state !== 'open') {
    if (lockedUser.value && lockedUser.value.id !== next.user?.id) takeOver()
    lockedUser.value = null
  }
  status.value = next
}

/** Asks the core how things stand. */
export async function refreshSession(): Promise<void> {
  acceptStatus(await backend.call('session_status', {}))
}

/** Locks the screen: what is being typed is stored first, because a locked core takes nothing any more. */
export async function lockSession(): Promise<void> {
  await flushDrafts()
  await backend.call('session_lock', {})
  await refreshSession()
}

/** Ends the session: the next person starts on the log-in page, not on this one's. */
export async function logOut(): Promise<void> {
  await lockSession()
  switchUser()
}

/** Forgets who locked the screen, so that another person can log in. */
export function switchUser(): void {
  lockedUser.value = null
  takeOver()
}

/** True while somebody is logged in. */
export function isOpen(): boolean {
  return status.value?.state === 'open'
}

/** True when the logged-in user may do what the permission names. */
export function may(permission: Permission | undefined): boolean {
  return permission === undefined || (status.value?.user?.permissions ?? []).includes(permission)
}

/** Follows the session from now on: the core may lock by itself, and the idle clock runs here. */
export function startSession(): void {
  backend.on('locked', () => void refreshSession())
  startIdleWatch({
    idleSeconds: () => status.value?.idle_seconds || 300,
    active: () => status.value?.state === 'open',
    lock: lockSession,
  })
}

/** The session, for pages. */
export function useSession() {
  return {
    status: readonly(status),
    user: computed(() => status.value?.user ?? null),
    lockedUser: readonly(lockedUser),
    /** Fewest characters of a new password; the core checks the whole rule again. */
    minLength: computed(() => status.value?.password_min_length ?? 0),
    /** Grows when another person takes over; the shell then forgets the page it was on. */
    generation: readonly(generation),
    may,
  }
}
