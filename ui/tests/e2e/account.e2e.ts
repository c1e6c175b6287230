import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { ALICE, openDesk, type Desk } from './desk'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let desk: Desk
afterEach(() => desk.close())

const at = (name: string) => desk.page.locator(`[data-test="${name}"]`)
const open = async (path: string) => {
  await desk.page.goto(new URL(`/#${path}`, desk.page.url()).href)
  await desk.page.waitForSelector('[data-ready="true"]')
}

/** Serious findings of axe on the page as it stands. */
async function barriers(): Promise<string[]> {
  await desk.page.evaluate(AXE)
  return desk.page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; impact: string }[] }> } }
    return (await axe.run()).violations.filter((one) => ['serious', 'critical'].includes(one.impact)).map((one) => one.id)
  })
}

test('alice changes her password, and only the new one opens the desk again', async () => {
  desk = await openDesk({ signedIn: true })
  await open('/settings/account')
  expect(await barriers()).toEqual([])
  await at('old-password').fill('not the password')
  await at('new_password').fill('another long horse 7')
  await at('repeat').fill('another long horse 7')
  await at('change-password').click()
  await desk.page.waitForSelector('[data-test="error"]')
  await at('old-password').fill(ALICE.password)
  await at('change-password').click()
  await at('toast').waitFor()
  await desk.page.keyboard.press('Control+l')
  await at('login-password').fill(ALICE.password)
  await at('login-submit').click()
  await desk.page.waitForSelector('[data-test="error"]')
  await at('login-password').fill('another long horse 7')
  await at('login-submit').click()
  await at('change-password').waitFor()
})

test('a new recovery code has to be written down, and replaces the old one', async () => {
  desk = await openDesk({ signedIn: true })
  await open('/settings/account')
  await at('new-code').click()
  await at('prompt-password').fill(ALICE.password)
  await at('prompt-submit').click()
  const code = (await at('code').innerText()).trim()
  await at('code-typed').fill(code.toLowerCase().replaceAll('-', ' '))
  await at('next').click()
  await at('new-code').waitFor()
  await desk.call('session_lock', {})
  const recovered = await desk.call('session_recover', { recovery_code: code, login: ALICE.login, new_password: 'a third long horse' })
  expect(recovered.state).toBe('open')
})

test('language, theme and size are switched at once and outlive the window', async () => {
  desk = await openDesk({ signedIn: true })
  await open('/settings/appearance')
  await at('locale-en').click()
  await expect.poll(() => desk.page.locator('h1').innerText()).toBe('Settings')
  await at('theme-dark').click()
  await at('scale-125').click()
  expect(await barriers()).toEqual([])
  const wide = await at('shell').evaluate((shell) => shell.getBoundingClientRect().width <= window.innerWidth + 1)
  expect(wide).toBe(true)
  await desk.page.reload()
  await desk.page.waitForSelector('[data-ready="true"]')
  const root = await desk.page.evaluate(() => ({ theme: document.documentElement.dataset.theme, zoom: document.documentElement.style.zoom, lang: document.documentElement.lang }))
  expect(root).toEqual({ theme: 'dark', zoom: '1.25', lang: 'en' })
})

test('everything of the shell is reached by keys', async () => {
  desk = await openDesk({ signedIn: true, locale: 'zh-CN' })
  const { page } = desk
  await at('shell').waitFor()
  await page.keyboard.press('F1')
  await expect.poll(() => at('key-help').innerText()).toContain('锁定屏幕')
  await page.keyboard.press('Escape')
  await at('key-help').waitFor({ state: 'hidden' })
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').fill('设')
  await page.getByRole('option').first().waitFor()
  await page.keyboard.press('Enter')
  await expect.poll(() => page.url()).toContain('/settings')
})

test('where passwords are changed every month, the desk opens only with a new one, in both languages', async () => {
  desk = await openDesk({ signedIn: true })
  const settings = await desk.call('settings_get', {})
  await desk.call('settings_save', { ...settings, password_policy: { ...settings.password_policy, max_age_days: 30 } })
  await desk.call('session_lock', {})
  await desk.pass(31 * 86_400)
  await desk.page.reload()
  await at('login-name').fill(ALICE.login)
  await at('login-password').fill(ALICE.password)
  await at('login-submit').click()
  await at('password-due').waitFor()
  expect(await barriers()).toEqual([])
  await at('language').click()
  await expect.poll(() => at('password-due').innerText()).toContain('Change your password first')
  await at('old-password').fill(ALICE.password)
  await at('new_password').fill(ALICE.password)
  await at('repeat').fill(ALICE.password)
  await at('change-password').click()
  await desk.page.locator('[data-test="password-due"] [role="alert"], [data-test="error"]').first().waitFor()
  await at('new_password').fill('a month later: horse 8')
  await at('repeat').fill('a month later: horse 8')
  await at('change-password').click()
  await at('password-due').waitFor({ state: 'detached' })
  await desk.page.waitForSelector('[data-ready="true"]')
})
