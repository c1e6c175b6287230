import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ALICE, openDesk, type Desk } from './desk'

const PASSWORD = 'correct horse 42'
const DEPARTMENT = '心血管内科'
/** Pictures to look at, where a folder is named. */
const PICTURES = process.env.AFTERCARE_PICTURES

let desk: Desk
beforeEach(async () => {
  desk = await openDesk({ signedIn: true, locale: process.env.AFTERCARE_LOCALE === 'en' ? 'en' : 'zh-CN', width: Number(process.env.AFTERCARE_WIDTH ?? 1366), height: Number(process.env.AFTERCARE_HEIGHT ?? 768) })
  if (process.env.AFTERCARE_LOCALE === 'en') {
    await desk.page.evaluate(() => localStorage.setItem('aftercare.appearance', JSON.stringify({ locale: 'en' })))
    await desk.page.reload()
  }
  for (const [login, name, department, roles] of [
    ['bob', '王芳', '客户关怀部', ['nurse']], ['dora', '刘洋', DEPARTMENT, ['department_head']], ['erin', '孙丽', '院办', ['approver']], ['nina', '赵宁', DEPARTMENT, ['nurse']],
  ] as const) {
    await desk.call('staff_save', { id: null, login, display_name: name, job_number: '', department, roles: [...roles], active: true, password: PASSWORD })
  }
})
afterEach(() => desk.close())

const at = (name: string) => desk.page.locator(`[data-test="${name}"]`)
const open = async (path: string) => {
  await desk.page.goto(new URL(`/#${path}`, desk.page.url()).href)
  await desk.page.reload()
  await desk.page.waitForSelector('[data-ready="true"]')
}
const picture = async (name: string) => {
  if (!PICTURES) return
  mkdirSync(PICTURES, { recursive: true })
  await desk.page.waitForTimeout(400)
  await desk.page.screenshot({ path: join(PICTURES, `${process.env.AFTERCARE_LOCALE ?? 'zh'}-${process.env.AFTERCARE_WIDTH ?? 1366}-${name}.png`) })
}
/** Somebody else sits down at the same PC. */
const as = async (login: string, path: string) => {
  await desk.call('session_login', { login, password: login === ALICE.login ? ALICE.password : PASSWORD })
  await open(path)
}
/** Chooses in a list that filters as one types. */
async function choose(name: string, words: string, pick = words) {
  await at(name).click()
  await desk.page.keyboard.type(words)
  await desk.page.locator('.el-select-dropdown:visible .el-select-dropdown__item', { hasText: pick }).first().click()
}
const save = async (form: string) => {
  await at(form).locator('[data-test="move-save"]').click()
  await at(form).waitFor({ state: 'hidden' })
}

test('from the phone call to the closed dossier', async () => {
  const zh = process.env.AFTERCARE_LOCALE !== 'en'
  const { id } = await desk.call('archive_create', { fields: { name: '王小明', sex: '1', mrn: '00012345', birth_on: '1966-03-01' }, phone: '13800138000', confirmed: true })
  await as('bob', '/complaints')
  await picture('empty')
  await desk.page.keyboard.press('F4')
  await at('complaint-form').waitFor()
  await picture('register-empty')

  // Nothing filled in: every field says what it wants, nothing is saved.
  await at('register').click()
  await expect.poll(() => at('complaint-form').locator('.fault').count()).toBeGreaterThan(3)
  await picture('register-faults')
  expect((await desk.call('complaints_board', {})).states[0]?.count).toBe(0)

  await at('patient-find').fill('wxm')
  await desk.page.locator('[role="option"]', { hasText: '王小明' }).waitFor()
  await at('patient-find').press('Enter')
  await at('patient-chosen').waitFor()
  await expect.poll(() => at('complainant').inputValue()).toBe('王小明')
  await at('complainant-phone').fill('138 0013 8000')
  await choose('category', zh ? '服务态度' : 'Attitude')
  await choose('subcategory', zh ? '冷漠' : 'Cold')
  await choose('departments', DEPARTMENT)
  await desk.page.keyboard.press('Escape')
  await choose('accused', '赵宁')
  await at('summary').fill('夜里按铃三次没有人来,早上问护士又说不知道。')
  await at('demand').fill('希望道歉')
  await picture('register-filled')
  await desk.page.keyboard.press('Control+Enter')
  await at('complaint').waitFor()
  const [row] = (await desk.call('complaints_list', { view: 'all', status: null, kind: null, department: null, category: null, patient_id: id, find: null, cursor: null, limit: 5 })).rows
  if (!row) throw new Error('nothing was registered')
  const path = `/complaints/${row.id}`
  expect(await desk.page.locator('h1').innerText()).toContain(row.number)
  // Bob may settle it; accepting is the department's.
  await at('move-settle').waitFor()
  await at('other-accept').waitFor()
  await picture('registered')
  await at('note-body').fill('家属情绪激动,已安抚')
  await at('note-save').click()
  await expect.poll(() => at('notes').innerText()).toContain('已安抚')

  await as('dora', path)
  await at('move-accept').click()
  await save('form-accept')
  await at('move-investigate').click()
  await choose('investigator', '刘洋')
  await save('form-investigate')
  await at('move-propose').click()
  await at('finding').fill('调阅呼叫记录,情况属实')
  await choose('verdict', '', zh ? '属实' : 'Founded')
  await choose('resolutions', '', zh ? '道歉' : 'Apology')
  await desk.page.keyboard.press('Escape')
  await at('reply').fill('经调查情况属实,我们向您诚恳道歉。')
  await expect.poll(() => at('preview').innerText()).toContain('诚恳道歉')
  await picture('propose')
  await save('form-propose')

  await as('erin', '/complaints')
  await at('view-mine').click()
  await desk.page.locator('a.number', { hasText: row.number }).click()
  await at('move-approve').click()
  await save('form-approve')

  // Who is complained about finds no step to take.
  await as('nina', path)
  await at('other-reply').waitFor()
  expect(await at('move-reply').count()).toBe(0)

  await as('bob', path)
  await desk.page.keyboard.press('F2')
  await at('form-reply').waitFor()
  expect(await at('reply').inputValue()).toContain('诚恳道歉')
  await save('form-reply')
  await at('move-rate').click()
  await at('attitude-satisfied').click()
  await save('form-rate')
  await at('move-close').click()
  await save('form-close')
  await expect.poll(() => at('status').innerText()).toBe(zh ? '已结案' : 'Closed')
  expect(await at('steps').locator('li').count()).toBe(8)
  await picture('closed')
  await desk.page.keyboard.press('Control+p')
  await at('dossier-paper').first().waitFor()
  expect(await at('dossier-paper').first().innerText()).toContain(row.number)
  await picture('dossier')

  await open(`/patients/${id}`)
  await expect.poll(() => at('timeline').innerText()).toContain(row.number)
  await picture('patient')
})

test('three of a kind are a signal on the supervisor’s page, and the board shows each state', async () => {
  const form = {
    channel: 'phone', anonymous: true, complainant: '', complainant_relation: '0', complainant_phone: '', complainant_id: '', authorisation: '', patient_id: null,
    patient_name: '', patient_sex: '0', patient_age: null, patient_mrn: '', patient_visit_no: '', visit_department: '', visited_on: null, doctor: '', happened_at: null,
    happened_where: '', departments: [DEPARTMENT], accused: [], category: 'ATT', subcategory: 'cold', summary: '无人应答', demand: '', evidence: '', confirmation: '', severity: 'C',
    harm: false, risks: [], deadline_rule: '',
  }
  for (let count = 0; count < 3; count += 1) {
    await desk.call('complaints_register', { form, received_at: null, first_receiver: '', first_department: '', call_id: null, alert_id: null })
  }
  await open('/complaints')
  await at('signals').waitFor()
  await picture('list')
  await at('as-board').click()
  await expect.poll(() => at('column-registered').locator('li').count()).toBe(3)
  await picture('board')
  await at('column-registered').locator('li button').first().click()
  await at('similar').waitFor()
  expect(await at('similar').locator('a').count()).toBe(2)
  await desk.page.keyboard.press('F4')
  await at('form-amend').waitFor()
  await picture('amend')
})
