import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDesk, type Desk } from './desk'

let desk: Desk
beforeEach(async () => {
  desk = await openDesk({ signedIn: true })
})
afterEach(() => desk.close())

const at = (name: string) => desk.page.locator(`[data-test="${name}"]`)
const rows = () => desk.page.locator('[role="row"] a.name')
const open = async (path: string) => {
  await desk.page.goto(new URL(`/#${path}`, desk.page.url()).href)
  await desk.page.waitForSelector('[data-ready="true"]')
}

/** A route without a reload keeps the old page for a moment: its mark says nothing of the new one. */
const openPatient = async (id: string) => {
  await open(`/patients/${id}`)
  await at('phones').waitFor()
}

async function add(fields: Record<string, string>, phone: string | null = null): Promise<string> {
  const { id } = await desk.call('archive_create', { fields, phone, confirmed: true })
  if (!id) throw new Error('somebody like this is there')
  return id
}

test('alice types a few letters, goes down one line and opens the record with Enter', async () => {
  await add({ name: '王小明', sex: '1', mrn: '00012345' }, '13800138000')
  await add({ name: '王小红', sex: '2', mrn: '00012346' }, '13900139000')
  await open('/patients')
  await at('find-input').fill('wxm')
  await expect.poll(() => rows().count()).toBe(1)
  await at('find-input').fill('')
  await at('find-input').fill('wangx')
  await expect.poll(() => rows().count()).toBe(2)
  await at('find-input').press('ArrowDown')
  await at('find-input').press('Enter')
  await desk.page.waitForSelector('[data-test="phones"]')
  expect(await desk.page.locator('h1').innerText()).toBe('王小明')
  expect(await at('phones').innerText()).toContain('138****8000')
  await at('phones').locator('.masked button').first().click()
  await expect.poll(() => at('phones').innerText()).toContain('138 0013 8000')
})

test('a record is edited beside its page, and what was typed survives going away', async () => {
  const id = await add({ name: '王小明', mrn: '1' })
  await openPatient(id)
  await desk.page.keyboard.press('F4')
  await at('field-hobbies').fill('下棋')
  await desk.page.waitForTimeout(600)
  await open('/patients')
  await at('find-input').waitFor()
  await openPatient(id)
  await desk.page.keyboard.press('F4')
  await expect.poll(() => at('field-hobbies').inputValue()).toBe('下棋')
  await at('field-id_number').fill('110105194912310021')
  await at('save').click()
  await expect.poll(() => at('edit-form').locator('[role="alert"]').count()).toBeGreaterThan(0)
  await at('field-id_number').fill('11010519491231002X')
  await at('save').click()
  await at('edit-form').waitFor({ state: 'hidden' })
  const record = await desk.call('archive_patient', { id })
  expect([record.fields.hobbies, record.fields.id_number]).toEqual(['下棋', '110105********002X'])
})

test('somebody alike is shown before a new record is saved, and two records are merged and parted', async () => {
  const first = await add({ name: '王小明', birth_on: '1980-02-03', address: '青山县东街12号3室' })
  await open('/patients/new')
  await at('field-name').fill('王小明')
  await at('phone').fill('138 0013 8000')
  await desk.page.getByLabel('出生日期').fill('1980-02-03')
  await desk.page.keyboard.press('Tab')
  await at('save').click()
  await at('suspects').waitFor()
  expect(await at('suspects').innerText()).toContain('同名同生日')
  await at('confirm').click()
  await at('phones').waitFor()
  await open('/patients/duplicates')
  await at('merge').click()
  await expect.poll(() => at('sides').count()).toBe(0)
  expect((await desk.call('archive_patient', { id: first })).phones.length).toBe(1)
  await desk.page.getByRole('button', { name: '撤销' }).click()
  await expect.poll(() => at('sides').count()).toBe(1)
  expect((await desk.call('archive_patient', { id: first })).phones.length).toBe(0)
})

test('a death stops with one form and is corrected with a reason', async () => {
  const id = await add({ name: '王小明' })
  await openPatient(id)
  await at('death').click()
  await at('save-life').click()
  await at('deceased').waitFor()
  await at('death').click()
  await at('save-life').click()
  await expect.poll(() => at('life-form').locator('[role="alert"]').count()).toBe(1)
  await at('reason').fill('同名登记错误')
  await at('save-life').click()
  await at('deceased').waitFor({ state: 'hidden' })
  await expect.poll(() => at('timeline').innerText()).toContain('同名登记错误')
})

test('Ctrl+K finds a patient from any page', async () => {
  await add({ name: '单雄信', mrn: '00000009' })
  await desk.page.keyboard.press('Control+k')
  await desk.page.getByRole('combobox').fill('shanxx')
  await desk.page.getByRole('option', { name: /单雄信/ }).waitFor()
  await desk.page.keyboard.press('Enter')
  await expect.poll(() => desk.page.locator('h1').innerText()).toBe('单雄信')
})
