import { afterEach, beforeEach, expect, test } from 'vitest'
import { ALICE, openDesk, type Desk } from './desk'

let desk: Desk
beforeEach(async () => {
  desk = await openDesk({ signedIn: true })
})
afterEach(() => desk.close())

const at = (name: string) => desk.page.locator(`[data-test="${name}"]`)
const condition = () => desk.page.locator('[data-path="form.alerts.0.when"] textarea')

async function edit(code: string) {
  await desk.page.goto(new URL(`/#/plans/${code}/edit`, desk.page.url()).href)
  await desk.page.waitForSelector('[data-ready="true"] [role="tablist"]')
  await at('tab-alerts').click()
}

test('alice finds the shipped plans and reads one', async () => {
  await desk.page.goto(new URL('/#/plans', desk.page.url()).href)
  await desk.page.getByRole('link', { name: '高血压随访' }).click()
  await at('tab-rules').click()
  await expect.poll(() => desk.page.getByRole('tabpanel').innerText()).toContain('收缩压 ≥ 180')
})

test('a mistake is named beside its field, and only a whole plan is saved as the next version', async () => {
  await edit('HTN')
  await condition().fill("bp.sbp >= 190 || chosen(symptoms, 'ooze')")
  await expect.poll(() => at('problems').innerText()).toContain('1')
  expect(await at('save').isEnabled()).toBe(false)
  await expect.poll(() => desk.page.locator('[data-path="form.alerts.0.when"] [role="alert"]').innerText()).toContain('ooze')
  await condition().fill('bp.sbp >= 190')
  await expect.poll(() => at('save').isEnabled()).toBe(true)
  await at('save').click()
  await at('tab-versions').click()
  await expect.poll(() => desk.page.getByRole('tabpanel').innerText()).toMatch(/第 2-[0-9A-Z]{4} 版/) // the desk's mark keeps two desks' versions apart
  const first = await desk.call('forms_plan', { code: 'HTN', version: 1 })
  const second = await desk.call('forms_plan', { code: 'HTN', version: null })
  expect([first.plan.form.alerts[0]?.when, second.plan.form.alerts[0]?.when]).toEqual(['bp.sbp >= 180 || bp.dbp >= 110', 'bp.sbp >= 190'])
})

test('an unfinished edit comes back after a lock', async () => {
  await edit('COPD')
  await condition().fill('spo2 < 85')
  await desk.page.keyboard.press('Control+l')
  await desk.page.waitForSelector('[data-test="lock-screen"]')
  await at('login-password').fill(ALICE.password)
  await at('login-submit').click()
  await desk.page.waitForSelector('[data-test="shell"]')
  await at('tab-alerts').click()
  await expect.poll(() => condition().inputValue()).toBe('spo2 < 85')
  await at('start-over').click()
  await expect.poll(() => condition().inputValue()).toContain("chosen(change, 'drowsy')")
})

test('sample answers show the alert that would be raised', async () => {
  await desk.page.goto(new URL('/#/plans/HTN', desk.page.url()).href)
  await at('try').click()
  await at('symptoms-dyspnea').click()
  await expect.poll(() => at('try-result').innerText()).toContain('心内科值班医生')
  await at('symptoms-none').click()
  await expect.poll(() => at('try-result').innerText()).toContain('没有异常')
})

test('a plan is switched off, and back on by undoing', async () => {
  await desk.page.goto(new URL('/#/plans/DM2', desk.page.url()).href)
  await at('switch-off').click()
  await desk.page.waitForSelector('[data-test="switch-on"]')
  await desk.page.getByRole('button', { name: '撤销' }).click()
  await desk.page.waitForSelector('[data-test="switch-off"]')
  expect((await desk.call('forms_plan', { code: 'DM2', version: null })).shown.enabled).toBe(true)
})

test('Ctrl+K finds a plan by its diagnosis', async () => {
  await desk.page.waitForSelector('[data-test="shell"]')
  await desk.page.keyboard.press('Control+k')
  await desk.page.getByRole('combobox').fill('J44')
  await desk.page.getByRole('option', { name: /慢性阻塞性肺疾病随访/ }).click()
  await expect.poll(() => desk.page.getByRole('heading', { level: 1 }).innerText()).toBe('慢性阻塞性肺疾病随访')
})
