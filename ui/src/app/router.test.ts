import { beforeEach, describe, expect, it } from 'vitest'
import { createMemoryHistory } from 'vue-router'
import { detour, homeRoute, makeRouter } from './router'
import { acceptStatus, switchUser, type SessionStatus } from './session'

function status(permissions: string[] | null): SessionStatus {
  const user = permissions && { id: 'a', login: 'alice', display_name: 'Alice', roles: [], permissions }
  return { state: user ? 'open' : 'locked', hospital: 'H', site: 'S', idle_seconds: 300, app_version: '0', user } as unknown as SessionStatus
}
const guarded = { name: 'staff', meta: { permission: 'staff_edit' as const } }

describe('addresses', () => {
  beforeEach(() => {
    acceptStatus(status(null))
    switchUser()
  })

  it('are kept while nobody is logged in, for whoever logs in', async () => {
    const router = makeRouter(createMemoryHistory())
    await router.push('/settings/account')
    await router.push('/')
    expect(router.currentRoute.value.name).toBe('home')
    expect(detour(guarded)).toBeNull()
  })

  it('lead the first one to a page that the user may open', async () => {
    acceptStatus(status(['signed_in']))
    const router = makeRouter(createMemoryHistory())
    await router.push('/')
    expect(router.currentRoute.value.matched.some((record) => record.name === homeRoute().name) || String(router.currentRoute.value.name).startsWith(homeRoute().name)).toBe(true)
  })

  it('keep out who has no right to them', () => {
    acceptStatus(status(['signed_in']))
    expect(detour(guarded)).toMatchObject({ name: 'nowhere' })
    acceptStatus(status(['signed_in', 'staff_edit']))
    expect(detour(guarded)).toBeNull()
  })

  it('that do not exist say so', async () => {
    const router = makeRouter(createMemoryHistory())
    await router.push('/no/such/page')
    expect(router.currentRoute.value.name).toBe('nowhere')
  })
})
