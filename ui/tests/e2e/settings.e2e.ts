import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { ALICE, openDesk, type Desk } from './desk'

let desk: Desk
afterEach(() => desk.close())

const part = (name: string) => desk.page.locator(`[data-test="${name}"]`)

async function open(page: string) {
  await desk.page.evaluate((to) => (location.hash = to), `#/settings/${page}`)
  await desk.page.waitForSelector('[data-ready="true"]')
}

test('alice sets the outside line, sees what will be dialled, and takes it back with one click', async () => {
  desk = await openDesk({ signedIn: true })
  await open('calling')
  await part('dial-prefix').fill('9,')
  await expect.poll(() => part('dial-example').innerText()).toMatch(/^tel:9,1/)
  await part('save').click()
  await expect.poll(async () => (await desk.call('settings_get', {})).dial_prefix).toBe('9,')
  await desk.page.locator('.undo').click()
  await expect.poll(async () => (await desk.call('settings_get', {})).dial_prefix).toBe('')
  await part('area-code').fill('x')
  await part('save').click()
  await expect.poll(() => desk.page.locator('[role="alert"]').count()).toBe(1)
})

test('alice adds a nurse with a made password, who logs in with it and sees no settings of others', async () => {
  desk = await openDesk({ signedIn: true })
  await open('people')
  await part('add-person').click()
  await part('person-name').fill('王小红')
  await part('person-login').fill('bob')
  await part('make-password').click()
  const password = await part('person-password').inputValue()
  await part('role-administrator').click()
  await part('role-auditor').click()
  await expect.poll(() => part('person-save').isDisabled()).toBe(true)
  await part('role-auditor').click()
  await part('role-administrator').click()
  await part('person-save').click()
  await expect.poll(async () => (await desk.call('staff_list', {})).members.map((member) => member.login).sort()).toEqual(['alice', 'bob'])
  await desk.call('session_login', { login: 'bob', password })
  expect((await desk.call('session_status', {})).user?.roles).toEqual(['nurse'])
  await desk.page.reload()
  await desk.page.waitForSelector('[data-test="shell"]')
  await open('people')
  await expect.poll(() => part('add-person').count()).toBe(0)
})

test('the last administrator stays one', async () => {
  desk = await openDesk({ signedIn: true })
  await open('people')
  await desk.page.locator('[role="row"]', { hasText: ALICE.display_name }).click()
  await part('role-administrator').click()
  await part('person-save').click()
  await expect.poll(() => part('person').locator('[role="alert"]').innerText()).toContain('管理员')
})

test('next year’s holidays are imported when they are out, and what is no calendar is refused', async () => {
  desk = await openDesk({ signedIn: true })
  await open('calendar')
  const bad = join(desk.folder, 'bad.json')
  writeFileSync(bad, '{}')
  await desk.answerDialog(bad)
  await part('import-calendar').click()
  await part('error').waitFor()
  const good = join(desk.folder, '2027.json')
  writeFileSync(good, JSON.stringify({ year: 2027, papers: [], days: [{ name: '元旦', date: '2027-01-01', isOffDay: true }] }))
  await desk.answerDialog(good)
  await part('import-calendar').click()
  await expect.poll(async () => (await desk.call('settings_calendar', {})).years.at(-1)?.year).toBe(2027)
  await expect.poll(() => desk.page.locator('.told').count()).toBe(0)
})

test('a backup is written, checked, and put in place from the log-in page', async () => {
  desk = await openDesk({ signedIn: true })
  const file = join(desk.folder, 'desk.bak')
  await open('backup')
  await desk.answerDialog(file)
  await part('backup').click()
  await part('backup-done').waitFor()
  await part('doctor').click()
  await part('verdict').waitFor()
  expect(await desk.page.locator('.check.broken').count()).toBe(0)
  await desk.call('settings_save', { ...(await desk.call('settings_get', {})), max_attempts: 9 })
  await desk.call('session_lock', {})
  await desk.page.reload()
  await part('restore').click()
  await desk.answerDialog(file)
  await part('restore-choose').click()
  await part('restore-login').fill(ALICE.login)
  await part('restore-password').fill(ALICE.password)
  await part('restore-submit').click()
  await part('restored').waitFor()
  await desk.call('session_login', { login: ALICE.login, password: ALICE.password })
  expect((await desk.call('settings_get', {})).max_attempts).toBe(3)
})

test('the trail is found whole, with the hash to note elsewhere', async () => {
  desk = await openDesk({ signedIn: true })
  await open('audit')
  await part('verify').click()
  await expect.poll(() => part('whole').locator('.head').innerText()).toMatch(/^[0-9a-f]{64}$/)
})

test('a desk without discharges says what to do first', async () => {
  desk = await openDesk({ signedIn: true })
  await desk.page.evaluate(() => (location.hash = '#/reports'))
  await desk.page.waitForSelector('[data-ready="true"] .empty')
  await expect.poll(() => part('open-export').isDisabled()).toBe(true)
})
