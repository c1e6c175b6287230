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
  state, hospital: 'H', site: 'S', user: state === 'open' ? alice : null, has_server: false, nobody_yet: false, wiped: false, password_due: null, password_min_length: 8, idle_seconds: 300, app_version: '0',
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
    await wizard.get('[data-test=choose-own]').trigger('click')
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

describe('joining the hospital’s server', () => {
  const found = { server: 's:8443', fingerprint: '天地玄黄 宇宙洪荒', fingerprint_words: 'acorn actor', pc_name: 'PC-7' }
  const CODE_TYPED = 'AAAAA-BBBBB-CCCCC-DDDDD-EEEEE'

  async function begin(answers: Parameters<typeof answerWith>[0]) {
    acceptStatus(status('setup'))
    const calls = answerWith({ session_status: () => status('setup'), ...answers })
    const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/:rest(.*)*', component: { template: '<i />' } }] })
    const wizard = mount(SetupPage, { attachTo: document.body, global: { plugins: [router] } })
    await wizard.get('[data-test=choose-join]').trigger('click')
    const send = async () => {
      await wizard.get('form').trigger('submit')
      await flushPromises()
    }
    await wizard.get('[data-test=join-address]').setValue(' s:8443 ')
    await wizard.get('[data-test=join-code]').setValue(CODE_TYPED)
    return { wizard, calls, send }
  }

  it.each([
    ['sync_unreachable', 0], ['sync_wrong_server', 0], ['sync_clock', 0], ['sync_bad_code', 1], ['sync_code_wrong', 1],
  ])('%s stands beside the field it is about', async (code, at) => {
    const { wizard, send } = await begin({ sync_find: () => { throw new Refusal(code) } })
    await send()
    expect(wizard.findAll('.field').map((field) => field.classes('faulty'))).toEqual([at === 0, at === 1])
  })

  it('shows the fingerprint before it tells the server anything, and comes back to the code when that was used', async () => {
    const { wizard, calls, send } = await begin({ sync_find: () => found, sync_join: () => { throw new Refusal('sync_code_wrong') } })
    await send()
    expect(wizard.get('[data-test=fingerprint]').text()).toContain(found.fingerprint)
    expect(calls.map(([name]) => name)).not.toContain('sync_join')
    await wizard.get('[data-test=join-name]').setValue('东院一号机')
    await send()
    expect(calls.at(-1)).toEqual(['sync_join', { address: 's:8443', code: CODE_TYPED, name: '东院一号机' }])
    expect(wizard.find('[data-test=join-server]').exists()).toBe(true)
    expect(wizard.findAll('.faulty')).toHaveLength(1)
  })

  it('says on the first page that the PC was erased because it was lost', () => {
    acceptStatus({ ...status('setup'), wiped: true })
    const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/:rest(.*)*', component: { template: '<i />' } }] })
    expect(mount(SetupPage, { global: { plugins: [router] } }).find('[data-test=wiped]').exists()).toBe(true)
  })
})

describe('somebody new to a PC', () => {
  it('is offered the server after a wrong password, and stays there with a clear word while nobody answers', async () => {
    acceptStatus({ ...status('locked'), has_server: true })
    switchUser()
    answerWith({
      session_login: () => { throw new Refusal('wrong_password', { left: 4 }) },
      sync_login: () => { throw new Refusal('sync_unreachable') },
      session_status: () => ({ ...status('locked'), has_server: true }),
    })
    const page = mount(LoginPage, { attachTo: document.body })
    await page.get('[data-test=login-name]').setValue('bob')
    await page.get('input[type=password]').setValue('a password')
    await page.get('form').trigger('submit')
    await flushPromises()
    await page.get('[data-test=maybe-new]').trigger('click')
    expect((page.get('[data-test=online-name]').element as HTMLInputElement).value).toBe('bob')
    await page.get('[data-test=online-password]').setValue('a password')
    await page.get('form').trigger('submit')
    await flushPromises()
    expect(page.get('[data-test=online-fault]').text()).toContain('连不上服务器')
  })

  it('is asked for at once on a PC that has just joined', () => {
    acceptStatus({ ...status('locked'), has_server: true, nobody_yet: true })
    expect(mount(LoginPage).find('[data-test=server-login]').exists()).toBe(true)
  })
})
