import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ALICE, openDesk, type Desk } from './desk'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const EXTRACT = fileURLToPath(new URL('../../../assets/demo/出院患者_gb18030.csv', import.meta.url))
const BOB = { login: 'bob', display_name: '周博', password: 'correct horse 43' }
const DORA = { login: 'dora', display_name: '段医生', password: 'correct horse 44' }
/** A Friday morning within calling hours. */
const FRIDAY = new Date('2026-11-20T10:00:00+08:00')

let desk: Desk
let department: string
const at = (name: string) => desk.page.locator(`[data-test="${name}"]`)
const press = (keys: string) => desk.page.keyboard.press(keys)

async function open(path: string) {
  await desk.page.goto(new URL(`/#${path}`, desk.page.url()).href)
  await desk.page.waitForSelector('[data-ready="true"]')
}

async function signIn(who: { login: string; password: string }, path: string) {
  await desk.call('session_lock', {})
  await desk.call('session_login', { login: who.login, password: who.password })
  await desk.page.goto(new URL(`/#${path}`, desk.page.url()).href)
  await desk.page.reload()
  await desk.page.waitForSelector('[data-test="shell"] [data-ready="true"]')
}

async function barriers(): Promise<string[]> {
  await desk.page.evaluate(AXE)
  return desk.page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { target: string[] }[] }[] }> } }
    return (await axe.run()).violations.filter((one) => ['serious', 'critical'].includes(one.impact)).map((one) => `${one.id} ${one.nodes[0]?.target.join(' ')}`)
  })
}

/** The key of the question that has the focus. */
const focused = () => desk.page.evaluate(() => document.activeElement?.closest('[data-question]')?.getAttribute('data-question') ?? null)

/** Answers every question by keys, the way a nurse does; `worse` makes the patient feel worse. */
async function answerAll(worse: boolean) {
  for (let step = 0; step < 80; step += 1) {
    const key = await focused()
    if (key === null) return
    const kind = await desk.page.evaluate(() => {
      const element = document.activeElement as HTMLElement
      return element.tagName === 'BUTTON' ? (element.getAttribute('role') ?? '') : element.tagName
    })
    if (kind === 'TEXTAREA') {
      await desk.page.keyboard.type('走路时气喘比出院时明显')
      await press('Tab')
    } else if (kind === 'INPUT') {
      const example = (await desk.page.evaluate(() => (document.activeElement as HTMLInputElement).placeholder)) ?? ''
      const low = /^(-?[\d.]+)～/.exec(example)
      await desk.page.keyboard.type(example.includes('138/86') ? '128/76' : low ? String(low[1]) : '11-19')
      await press('Enter')
    } else {
      await press(key === 'general' ? (worse ? '3' : '1') : '1')
      if (kind === 'checkbox') await press('Enter')
    }
    await expect.poll(focused).not.toBe(key)
  }
}

beforeEach(async () => {
  desk = await openDesk({ signedIn: true })
  await desk.setClock(FRIDAY)
  await desk.page.clock.setFixedTime(FRIDAY)
  await desk.call('imports_run', { path: EXTRACT, sheet: null, columns: null, dry_run: false, language: null, report: null })
  const list = await desk.call('followup_worklist', { filter: { kind: 'all' }, on: null, cursor: null, limit: 1 })
  department = list.rows[0]?.department ?? ''
  for (const [who, role] of [[BOB, 'nurse'], [DORA, 'doctor']] as const) {
    await desk.call('staff_save', { id: null, login: who.login, display_name: who.display_name, job_number: '', department, roles: [role], active: true, password: who.password })
  }
})
afterEach(() => desk.close())

test('bob calls by keys alone, an answer worries him, the expert answers, and the reply comes back to be told', async () => {
  await signIn(BOB, '/followup')
  await press('Enter')
  await at('call').waitFor()
  const name = (await at('call-bar').locator('h2').innerText()).trim()
  await press('F2')
  await expect.poll(() => at('call-bar').getAttribute('data-phase')).toBe('ringing')
  expect((await desk.dialled()).length).toBe(1)
  expect(await barriers()).toEqual([])
  await press('Enter')
  await expect.poll(focused).not.toBeNull()
  await answerAll(true)
  await expect.poll(() => at('raised').first().getAttribute('class')).toContain('orange')
  expect(await barriers()).toEqual([])
  await press('Control+Enter')
  await expect.poll(() => at('toast').first().innerText()).toContain(name)
  await expect.poll(() => at('call-bar').locator('h2').innerText()).not.toBe(name)

  await open('/alerts')
  await desk.page.getByRole('row').filter({ hasText: name }).first().click()
  await at('alert-route').click()
  await at('ask-question').fill('走路气喘加重，是否需要提前复诊？')
  await at('ask-send').click()
  await expect.poll(() => at('alert-panel').innerText()).toContain('已转专家')

  await signIn(DORA, '/consults')
  await at('reply-text').fill('利尿剂加半片，三天后复查。')
  await at('reply-advice').fill('每天早晨称体重，气喘加重立即来院。')
  await at('reply-visit').locator('input').fill('11-25')
  expect(await barriers()).toEqual([])
  await press('Control+Enter')
  await at('toast').first().waitFor()

  await signIn(BOB, '/followup')
  await expect.poll(() => at('queue').getByRole('option').first().innerText()).toContain(name)
  await at('queue').getByRole('option').first().click()
  await expect.poll(() => at('script-answer').first().innerText()).toContain('利尿剂加半片')
  await at('expert-reply').getByRole('link').click()
  await expect.poll(() => at('slip').first().innerText()).toContain('每天早晨称体重')
  await at('paper-A5').click()
  expect(await at('slip').first().innerText()).toContain('青山县人民医院')
})

test('two keys lie between two calls that nobody answers, and the last one can be taken back', async () => {
  await signIn(BOB, '/followup')
  await press('Enter')
  await at('call').waitFor()
  const first = await at('call-bar').locator('h2').innerText()
  await press('F2')
  await expect.poll(() => at('call-bar').getAttribute('data-phase')).toBe('ringing')
  await press('1')
  await at('toast').first().waitFor()
  await expect.poll(() => at('call-bar').getAttribute('data-phase')).toBe('ready')
  await at('toast').first().getByRole('button').first().click()
  await expect.poll(() => at('call-bar').locator('h2').innerText()).toBe(first)
  await expect.poll(() => at('patient-pane').innerText()).not.toContain('无人接听')
})

test('what was answered comes back after a lock, and a missing answer is marked only when saving', async () => {
  await signIn(BOB, '/followup')
  await press('Enter')
  await at('call').waitFor()
  await press('F2')
  await expect.poll(() => at('call-bar').getAttribute('data-phase')).toBe('ringing')
  await press('Enter')
  await expect.poll(focused).toBe('reach')
  await press('1')
  await expect.poll(focused).not.toBe('reach')
  expect(await desk.page.locator('.fault').count()).toBe(0)
  await press('Control+l')
  await at('login-password').fill(BOB.password)
  await at('login-submit').click()
  await at('question-reach').waitFor()
  await expect.poll(() => at('question-reach').locator('[aria-checked="true"]').innerText()).toContain('本人')
  await expect.poll(() => at('call-bar').getAttribute('data-phase')).toBe('talking')
  await press('Control+Enter')
  await expect.poll(() => desk.page.locator('.question .fault').count()).toBeGreaterThan(0)
})

test('the guard says why nobody is called at night', async () => {
  await desk.setClock(new Date('2026-11-20T21:30:00+08:00'))
  await signIn(BOB, '/followup')
  await press('Enter')
  await at('call').waitFor()
  await press('F2')
  await expect.poll(() => at('guard-block').innerText()).toContain('现在不在允许拨打的时间内')
  expect(await desk.dialled()).toEqual([])
})

test('the desk is whole on a small screen and empty pages lead on', async () => {
  await signIn(ALICE, '/followup')
  await press('Enter')
  await at('call').waitFor()
  const wide = await at('shell').evaluate((shell) => shell.scrollWidth <= window.innerWidth)
  expect(wide).toBe(true)
  expect(await at('save').isVisible()).toBe(true)
  await at('act-ask').click()
  await at('ask-form').waitFor()
  await open('/alerts')
  await expect.poll(() => desk.page.locator('.empty').innerText()).toContain('没有未办结的警示')
  expect(await barriers()).toEqual([])
})
