import { afterEach, beforeEach, expect, test } from 'vitest'
import { openCentral, type Central } from './central'
import { ALICE, openDesk, type Desk } from './desk'

const BOB = { login: 'bob', display_name: '高峰', password: 'another horse 43' }
const SITE = '本部'

let central: Central
let desks: Desk[] = []

beforeEach(async () => {
  central = await openCentral()
})

afterEach(async () => {
  const open = desks
  desks = []
  for (const desk of open) await desk.close()
  await central.close()
})

async function aDesk(options: Parameters<typeof openDesk>[0] = {}): Promise<Desk> {
  const desk = await openDesk(options)
  desks.push(desk)
  return desk
}

const part = (desk: Desk, name: string) => desk.page.locator(`[data-test="${name}"]`)
const text = (desk: Desk, name: string) => part(desk, name).innerText()

/** A round that ends well. */
async function sync(desk: Desk) {
  const { id } = await desk.call('sync_now', {})
  await expect.poll(async () => (await desk.call('settings_job', { id })).state, { timeout: 20_000 }).toBe('done')
}

/** Alice's desk with bob among its people belongs to the server, and the server knows both. */
async function alicesDesk(): Promise<Desk> {
  const desk = await aDesk({ signedIn: true })
  await desk.call('staff_save', { id: null, job_number: '', department: '', roles: ['nurse'], active: true, ...BOB })
  await desk.page.goto(`${new URL(desk.page.url()).origin}/#/settings/sync`)
  await part(desk, 'enrol-address').fill(central.address)
  await part(desk, 'enrol-code').fill(central.code().code)
  await part(desk, 'enrol-submit').click()
  await desk.page.waitForSelector('[data-test="sync-state"][data-state="done"]')
  for (const { login, password } of [BOB, ALICE]) {
    await desk.call('session_login', { login, password })
    await sync(desk)
  }
  return desk
}

async function askToJoin(desk: Desk, address: string, code: string) {
  await part(desk, 'join-address').fill(address)
  await part(desk, 'join-code').fill(code)
  await part(desk, 'next').click()
}

/** A new PC goes through the whole wizard and ends on the page of today. */
async function joined(person = ALICE): Promise<Desk> {
  const pc = await aDesk()
  await part(pc, 'choose-join').click()
  await askToJoin(pc, central.address, central.code(SITE).code)
  await part(pc, 'join-name').fill('东院一号机')
  await part(pc, 'next').click()
  await part(pc, 'online-name').fill(person.login)
  await part(pc, 'online-password').fill(person.password)
  await part(pc, 'online-submit').click()
  const code = (await text(pc, 'code')).trim()
  await part(pc, 'code-typed').fill(code)
  await part(pc, 'next').click()
  await part(pc, 'to-today').click()
  await pc.page.waitForSelector('[data-test="shell"]')
  return pc
}

test('a new PC finds the server, says what is wrong beside the field, joins, fills up and is at work', async () => {
  await alicesDesk()
  const pc = await aDesk()
  await part(pc, 'choose-join').click()
  const made = central.code(SITE)
  await askToJoin(pc, central.address, `${made.code.slice(0, -1)}${made.code.endsWith('0') ? '1' : '0'}`)
  await expect.poll(() => pc.page.locator('.field.faulty').innerText()).toContain('登记码')
  await askToJoin(pc, '127.0.0.1:1', made.code)
  await expect.poll(() => pc.page.locator('.field.faulty').innerText()).toContain('连不上')
  const stranger = await openCentral()
  await askToJoin(pc, stranger.address, made.code)
  await expect.poll(() => pc.page.locator('.field.faulty').innerText()).toContain('证书不符')
  await stranger.close()
  await askToJoin(pc, central.address, made.code)
  await expect.poll(() => text(pc, 'fingerprint')).toContain(made.fingerprint)
  await part(pc, 'join-name').fill('东院一号机')
  await part(pc, 'next').click()
  expect(await text(pc, 'joined')).toContain(SITE)
  await part(pc, 'online-name').fill(ALICE.login)
  await part(pc, 'online-password').fill('not her password')
  await part(pc, 'online-submit').click()
  await expect.poll(() => pc.page.locator('.field.faulty').innerText()).toContain('密码不对')
  // The code is used, and the PC belongs to the hospital: closed and opened again it asks who is there.
  await pc.page.reload()
  await pc.page.waitForSelector('[data-test="server-login"]')
  await part(pc, 'online-name').fill(ALICE.login)
  await part(pc, 'online-password').fill(ALICE.password)
  await part(pc, 'online-submit').click()
  await pc.page.waitForSelector('[data-test="shell"]')
  await expect.poll(() => part(pc, 'sync-foot').getAttribute('data-state'), { timeout: 20_000 }).toBe('done')
  expect((central.say('devices', 'list') as { name: string }[]).map((device) => device.name)).toContain('东院一号机')
})

test('bob is new to a PC: once at the server, then without a network', async () => {
  await alicesDesk()
  const pc = await joined()
  await pc.page.keyboard.press('Control+l')
  await pc.page.waitForSelector('[data-test="lock-screen"]')
  await pc.page.getByText('换人登录').click()
  await part(pc, 'login-name').fill(BOB.login)
  await part(pc, 'login-password').fill(BOB.password)
  await part(pc, 'login-submit').click()
  await part(pc, 'maybe-new').click()
  await part(pc, 'online-password').fill(BOB.password)
  await part(pc, 'online-submit').click()
  await expect.poll(() => text(pc, 'user')).toContain(BOB.display_name)
  await central.stop()
  await pc.page.keyboard.press('Control+l')
  await part(pc, 'login-password').fill(BOB.password)
  await part(pc, 'login-submit').click()
  await expect.poll(() => text(pc, 'user')).toContain(BOB.display_name)
})

test('a supervisor sees how complete the figures are, and a PC that was reported lost says so', async () => {
  const alice = await alicesDesk()
  const pc = await joined()
  await alice.pass(11 * 60)
  await alice.call('session_login', { login: ALICE.login, password: ALICE.password })
  await sync(alice)
  await alice.page.reload()
  await alice.page.waitForSelector('[data-test="clinics"]')
  const clinics = await text(alice, 'clinics')
  expect(clinics).toContain('东院一号机')
  expect(clinics).toContain(`${SITE}的数据截至`)
  const devices = central.say('devices', 'list') as { id: string; name: string }[]
  const lost = devices.find((device) => device.name === '东院一号机')
  central.say('devices', 'wipe', lost?.id ?? '')
  await pc.call('sync_now', {})
  await pc.page.waitForSelector('[data-test="wiped"]')
  expect(await part(pc, 'choose-join').isVisible()).toBe(true)
  pc.complaints.length = 0
})
