import { beforeEach, describe, expect, it } from 'vitest'
import { answerWith } from '../../tests/core'
import { queryClient } from './query'
import { acceptStatus, lockSession, logOut, may, useSession, type SessionStatus } from './session'

function open(name: string): SessionStatus {
  return {
    state: 'open', hospital: 'H', site: 'S', has_server: false, nobody_yet: false, wiped: false, password_due: null, password_min_length: 8, idle_seconds: 300, app_version: '0',
    user: { id: name, login: name, display_name: name, roles: ['nurse'], permissions: ['signed_in', 'archive_read'] },
  }
}
const locked: SessionStatus = { ...open('x'), state: 'locked', user: null }

describe('the session', () => {
  const { lockedUser, generation, user } = useSession()
  beforeEach(() => {
    answerWith({ session_lock: () => ({}), session_status: () => locked })
    acceptStatus(open('alice'))
  })

  it('remembers alice while her screen is locked, and forgets the patients', async () => {
    queryClient.setQueryData(['archive', 'patient', 1], { name: 'secret' })
    await lockSession()
    expect(lockedUser.value?.login).toBe('alice')
    expect(user.value).toBeNull()
    expect(queryClient.getQueryData(['archive', 'patient', 1])).toBeUndefined()
  })

  it('gives alice her page back', async () => {
    const before = generation.value
    await lockSession()
    acceptStatus(open('alice'))
    expect(generation.value).toBe(before)
    expect(lockedUser.value).toBeNull()
  })

  it('starts a new page for bob', async () => {
    const before = generation.value
    await lockSession()
    acceptStatus(open('bob'))
    expect(generation.value).toBe(before + 1)
  })

  it('leaves no name behind after logging out', async () => {
    await logOut()
    expect(lockedUser.value).toBeNull()
  })

  it('knows what the user may', async () => {
    expect([may('archive_read'), may('staff_edit'), may(undefined)]).toEqual([true, false, true])
    await lockSession()
    expect(may('archive_read')).toBe(false)
  })
})
