import { afterEach, expect, test } from 'vitest'
import { ALICE, openDesk, type Desk } from './desk'

let desk: Desk
afterEach(() => desk.close())

test('alice sets her hospital up, and the code she wrote down is asked back', async () => {
  desk = await openDesk()
  const { page } = desk
  const field = (name: string) => page.locator(`[data-test="${name}"]`)
  await field('choose-own').click()
  await field('hospital').fill('青山县人民医院')
  await field('site').fill('本部')
  await field('next').click()
  await field('display-name').fill('张𠮷祥')
  await field('login-name').fill(ALICE.login)
  await field('password').fill(ALICE.password)
  await field('repeat').fill(ALICE.password)
  await field('next').click()
  const code = (await field('code').innerText()).trim()
  expect(code.length).toBeGreaterThan(20)
  await expect.poll(() => field('next').isEnabled()).toBe(false)
  await field('code-typed').fill(code.toLowerCase())
  await field('next').click()
  await field('to-home').click()
  // The set-up ends at the log-in page or at the desk itself; either way the password opens it.
  await page.waitForSelector('[data-test="login"], [data-test="shell"]')
  if (await field('login').isVisible()) await logIn(desk)
  await expect.poll(() => field('user').innerText()).toContain('张𠮷祥')
})

test('a locked desk asks its person for the password only, and comes back where it was', async () => {
  desk = await openDesk({ signedIn: true })
  const { page } = desk
  await page.waitForSelector('[data-test="shell"]')
  await page.keyboard.press('Control+l')
  await page.waitForSelector('[data-test="lock-screen"]')
  await expect(desk.call('settings_draft_load', { key: 'anything' })).rejects.toThrow('signed_out')
  await page.locator('[data-test="login-password"]').fill('a wrong password')
  await page.locator('[data-test="login-submit"]').click()
  await page.waitForSelector('[role="alert"]')
  await page.locator('[data-test="login-password"]').fill(ALICE.password)
  await page.locator('[data-test="login-submit"]').click()
  await page.waitForSelector('[data-test="shell"]')
})

test('a desk nobody touches locks itself', async () => {
  desk = await openDesk({ signedIn: true })
  await desk.page.waitForSelector('[data-test="shell"]')
  await desk.pass(6 * 60)
  await desk.page.waitForSelector('[data-test="lock-screen"]')
})

async function logIn(desk: Desk) {
  await desk.page.locator('[data-test="login-name"]').fill(ALICE.login)
  await desk.page.locator('[data-test="login-password"]').fill(ALICE.password)
  await desk.page.locator('[data-test="login-submit"]').click()
}
