import { flushPromises, mount } from '@vue/test-utils'
import { createMemoryHistory, createRouter } from 'vue-router'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { answerWith, Refusal } from '../../../tests/core'
import { acceptStatus, switchUser, useSession, type SessionStatus } from '@/app/session'
import LoginPage from './pages/LoginPage.vue'
import SetupPage from './pages/SetupPage.vue'
import { clock, plainCode, secondsLeft, strength } from './password'

const CODE = 'K7QM-2XWD-9RTA-HJ4C'
const alice = { id: 'u1', login: 'alice', display_name: 'Alice', roles: ['administrator'], permissions: ['signed_in'] } as never
const status = (state: SessionStatus['state']): SessionStatus => ({
  state, hospital: 'H', site: 'S', user: state === 'open' ? alice : null, password_due: null, password_min_length: 8, idle_seconds: 300, app_version: '0',
})
const { status: shown } = useSession()

describe('a password', () => {
  it.each([['', 0], ['short', 0], ['aaaaaaaaaaaaaaaaaaaa', 0], ['abcdefgh', 1], ['twelve chars', 2], ['a whole sentence is best', 3], ['春眠不觉晓处处闻啼鸟', 1]])('%s is worth %d', (password, level) => {
    expect(strength(password, 8)).toBe(level)
  })
})

describe('the recovery code', () => {
  it('is compared as people write it', () => {
    expect(plainCode(' k7qm 2xwd—9rta.hj4c')).toBe(plainCode(CODE))
    expect(plainCode('O1l')).toBe(plainCode('0li'))
  })
})

describe('a lock-out', () => {
  it('counts down in minutes and seconds', () => {
    expect([secondsLeft(272_400, 0), secondsLeft(5, 10), clock(272), clock(9)]).toEqual([273, 0, '4:32', '0:09'])
  })
})

describe('logging in', () => {
  beforeEach(() => {
    acceptStatus(status('locked'))
    switchUser()
  })
  afterEach(() => vi.useRealTimers())

  async function tryPassword(page: ReturnType<typeof mount>, password: string) {
    await page.get('input[type=password]').setValue(password)
    await page.get('form').trigger('submit')
    await flushPromises()
  }

  it('opens the desk', async () => {
    let open = false
    const calls = answerWith({ session_login: () => ((open = true), status('open')), session_status: () => status(open ? 'open' : 'locked') })
    const page = mount(LoginPage, { attachTo: document.body })
    await page.get('[data-test=login-name]').setValue(' alice ')
    await tryPassword(page, 'a good password')
    expect(calls[0]).toEqual(['session_login', { login: 'alice', password: 'a good password' }])
    expect(shown.value?.state).toBe('open')
  })

  it('empties the password after a failure and says what to do', async () => {
    answerWith({ session_login: () => { throw new Refusal('wrong_password', { left: 3 }) } })
    const page = mount(LoginPage, { attachTo: document.body })
    await page.get('[data-test=login-name]').setValue('alice')
    await tryPassword(page, 'wrong')
    expect((page.get('input[type=password]').element as HTMLInputElement).value).toBe('')
    expect(page.find('[data-test=error]').exists()).toBe(true)
  })

  it('makes alice wait after too many failures, but not bob', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] })
    const calls = answerWith({ session_login: () => { throw new Refusal('locked_out', { until: Date.now() + 60_000, minutes: 1 }) } })
    const page = mount(LoginPage, { attachTo: document.body })
    await page.get('[data-test=login-name]').setValue('alice')
    await tryPassword(page, 'wrong')
    expect(page.text()).toContain('1:00')
    await tryPassword(page, 'again')
    expect(calls).toHaveLength(1)
    await page.get('[data-test=login-name]').setValue('bob')
    expect(page.text()).not.toContain('1:00')
    await page.get('[data-test=login-name]').setValue('alice')
    vi.advanceTimersByTime(61_000)
    await flushPromises()
    await tryPassword(page, 'right at last')
    expect(calls).toHaveLength(2)
  })

  it('asks a locked screen for the password only', async () => {
    acceptStatus(status('open'))
    acceptStatus(status('locked'))
    const page = mount(LoginPage, { attachTo: document.body })
    expect(page.find('[data-test=login-name]').exists()).toBe(false)
    expect(page.text()).toContain('Alice')
  })
})

describe('the first run', () => {
  it('leads from the hospital to an open desk, and lets nobody past an unwritten code', async () => {
    acceptStatus(status('setup'))
    let open = false
    const calls = answerWith({
      session_setup: () => ({ recovery_code: CODE }),
      session_login: () => ((open = true), status('open')),
      session_status: () => status(open ? 'open' : 'locked'),
    })
    const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/:rest(.*)*', component: { template: '<i />' } }] })
    const wizard = mount(SetupPage, { attachTo: document.body, global: { plugins: [router] } })
    const fill = (name: string, value: string) => wizard.get(`[data-test=${name}]`).setValue(value)
    const next = async () => {
      await wizard.get('form').trigger('submit')
      await flushPromises()
    }
    await next()
    expect(wizard.find('[data-test=setup-hospital]').exists()).toBe(true)
    await fill('hospital', ' 青山县人民医院 ')
    await fill('site', '本部')
    await next()
    await fill('display-name', '王芳')
    await fill('password', 'a long password')
    await fill('repeat', 'a long passwort')
    await next()
    expect(calls).toHaveLength(0)
    await fill('repeat', 'a long password')
    await next()
    expect(calls[0]?.[1]).toEqual({ hospital: '青山县人民医院', site: '本部', login: 'admin', display_name: '王芳', password: 'a long password' })
    await fill('code-typed', 'K7QM')
    await next()
    expect(wizard.find('[data-test=setup-code]').exists()).toBe(true)
    await fill('code-typed', CODE.toLowerCase())
    await next()
    await wizard.get('[data-test=to-import]').trigger('click')
    await flushPromises()
    expect(router.currentRoute.value.path).toBe('/imports')
    expect(wizard.emitted('done')).toHaveLength(1)
    expect(wizard.text()).not.toContain(CODE)
    expect(shown.value?.state).toBe('open')
  })
})
