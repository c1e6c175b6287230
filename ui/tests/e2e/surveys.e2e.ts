import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDesk, type Desk } from './desk'

const EXTRACT = fileURLToPath(new URL('../../../assets/demo/出院患者_gb18030.csv', import.meta.url))
/** A Friday morning within calling hours. */
const FRIDAY = new Date('2026-11-20T10:00:00+08:00')

/** Pictures to look at, where a folder is named. */
const PICTURES = process.env.AFTERCARE_PICTURES
const LOCALE = process.env.AFTERCARE_LOCALE === 'en' ? 'en' : 'zh-CN'

let desk: Desk
beforeEach(async () => {
  desk = await openDesk({ signedIn: true, locale: LOCALE, width: Number(process.env.AFTERCARE_WIDTH ?? 1366), height: Number(process.env.AFTERCARE_HEIGHT ?? 768) })
  if (LOCALE === 'en') {
    await desk.page.evaluate(() => localStorage.setItem('aftercare.appearance', JSON.stringify({ locale: 'en' })))
    await desk.page.reload()
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
  await desk.page.waitForTimeout(500)
  await desk.page.screenshot({ path: join(PICTURES, `${LOCALE}-${process.env.AFTERCARE_WIDTH ?? 1366}-surveys-${name}.png`) })
}

/** The digits of an outpatient sheet: thirteen items, the whole, recommending, returning. */
async function type(items: string, overall: string, nps: string, back: string) {
  await at('item-o1').locator('[data-focus]').focus()
  for (const digit of items) await desk.page.keyboard.press(digit)
  await desk.page.keyboard.press(overall)
  await at('item-o_nps').locator('input').fill(nps)
  await desk.page.keyboard.press('Enter')
  await desk.page.keyboard.press(back)
}

test('a batch of paper, typed by digits, becomes a trend with its rows', async () => {
  await open('/surveys')
  await at('to-paper').waitFor()
  await picture('empty')
  await at('to-paper').click()
  await at('sheet-no').waitFor()

  // Nothing filled in is refused with its fields.
  await desk.page.keyboard.press('Control+Enter')
  await at('wrong').waitFor()
  await picture('paper-faults')

  const months = ['2026-08-12', '2026-09-15', '2026-10-20']
  for (const [index, day] of months.entries()) {
    await at('sheet-no').fill(`A-${index}`)
    await at('answered-on').fill(day)
    // Carried over from the sheet before.
    if (index === 0) {
      await at('department').fill('心血管内科')
      await at('caller').fill('李志愿')
    } else expect(await at('department').inputValue()).toBe('心血管内科')
    await type('5444454434440', index === 2 ? '5' : '4', '9', '1')
    if (index === 0) await picture('paper')
    await desk.page.keyboard.press('Control+Enter')
    await expect.poll(() => at('batch-line').count()).toBe(index + 1)
    expect(await at('sheet-no').inputValue()).toBe('')
  }

  // The same number again is asked about, and saved when it is meant.
  await at('sheet-no').fill('A-1')
  await type('4444454434444', '4', '8', '2')
  await desk.page.keyboard.press('Control+Enter')
  await at('twice').waitFor()
  expect(await at('batch-line').count()).toBe(3)
  await desk.page.keyboard.press('Control+Enter')
  await expect.poll(() => at('batch-line').count()).toBe(4)

  await at('tab-results').click()
  await at('figure-score').waitFor()
  await expect.poll(() => at('figure-satisfied').innerText()).toContain('4 / 4')
  expect(await at('group-心血管内科').innerText()).toContain(LOCALE === 'en' ? 'Few' : '样本少')
  await at('trend').locator('button.switch').click()
  await expect.poll(() => at('trend').locator('tbody tr').count()).toBe(3)
  await at('trend').locator('button.switch').click()
  await picture('results')
  await at('figure-score').click()
  await expect.poll(() => at('rows-total').innerText()).toContain('4')
  await picture('rows')
  await at('open-sheet').first().click()
  await at('sheet').waitFor()
  await expect.poll(() => at('sheet').innerText()).toContain('李志愿')
  await picture('sheet')
})

test('a low score opens a recovery call, and the sheet becomes a complaint', async () => {
  const { id } = await desk.call('archive_create', { fields: { name: '王小明', sex: '1', mrn: '00012345', birth_on: '1966-03-01' }, phone: '13800138000', confirmed: true })
  await open('/surveys/paper')
  await at('sheet-no').fill('L-1')
  await at('department').fill('骨科')
  await at('patient-find').fill('wxm')
  await desk.page.locator('[role="option"]', { hasText: '王小明' }).waitFor()
  await at('patient-find').press('Enter')
  await at('patient-chosen').waitFor()
  await type('2122222222222', '2', '3', '3')
  await desk.page.keyboard.press('Control+Enter')
  await at('batch-recovery').waitFor()
  await picture('paper-low')

  const list = await desk.call('followup_open', { patient_id: id ?? '', look_only: true })
  expect(list.tasks.map((task) => task.kind)).toContain('recovery')
  await open('/followup')
  await desk.page.locator('[data-test="queue"] [data-patient]').first().click()
  await at('call').waitFor()
  await expect.poll(() => at('call').innerText()).toContain(LOCALE === 'en' ? 'Service recovery' : '服务补救')
  await picture('recovery')

  await open('/surveys')
  await at('figure-valid').click()
  await at('open-sheet').first().click()
  await at('recovery').waitFor()
  await at('to-complaint').click()
  await at('complaint-form').waitFor()
  await expect.poll(() => at('patient-chosen').innerText()).toContain('王小明')
})

test('a person at the screen answers one question at a time, and nobody leaves it without a password', async () => {
  await open('/surveys/screen')
  await at('screen-department').fill('门诊药房')
  await picture('screen-setup')
  await at('screen-start').click()
  await at('kiosk').waitFor()
  await picture('screen-welcome')
  await at('kiosk-begin').click()
  await at('kiosk-question').waitFor()
  await picture('screen-question')
  for (const digit of '4544444') await desk.page.keyboard.press(digit)
  await expect.poll(() => at('kiosk-question').getAttribute('data-id')).toBe('c_overall')
  await desk.page.keyboard.press('4')
  await expect.poll(() => at('kiosk-question').getAttribute('data-id')).toBe('c_nps')
  await desk.page.locator('.scale .answer').nth(9).click()
  await expect.poll(() => at('kiosk-question').getAttribute('data-id')).toBe('c_text')
  await at('kiosk-next').click()
  await expect.poll(() => at('kiosk-begin').innerText()).toBe(LOCALE === 'en' ? 'Next person' : '下一位')
  await picture('screen-thanks')
  const scope = { from: '2026-01-01', to: '2027-12-31', kind: null, department: null, doctor: null, site_id: null }
  await expect.poll(async () => (await desk.call('surveys_rows', { scope, of: 'sheets', dimension: null, round_id: null, cursor: null, limit: 5 })).total).toBe(1)
  await at('kiosk-leave').click()
  await expect.poll(async () => (await desk.call('session_status', {})).state).toBe('locked')
})

test('a round is drawn by department and called through the follow-up desk', async () => {
  await desk.setClock(FRIDAY)
  await desk.page.clock.setFixedTime(FRIDAY)
  await open('/surveys/rounds')
  await picture('rounds-empty')
  await desk.page.keyboard.press('F4')
  await at('round-title').fill('十一月出院患者')
  // There are no stays in these days: said, and nothing is made.
  await at('round-save').click()
  await expect.poll(() => at('round-form').locator('.fault').count()).toBeGreaterThan(0)
  expect((await desk.call('surveys_rounds', {})).rounds).toHaveLength(0)

  await desk.call('imports_run', { path: EXTRACT, sheet: null, columns: null, dry_run: false, language: null, report: null })
  await at('preview').click()
  await at('previewed').waitFor()
  await picture('round-form')
  await at('round-save').click()
  await at('queue').waitFor()
  const [round] = (await desk.call('surveys_rounds', {})).rounds
  expect(round?.invited).toBeGreaterThan(1)

  // Nobody answers the first: to be called again later, and the call is a call like every other.
  await at('first-invite').click()
  await at('survey-call').waitFor()
  await picture('call-ready')
  await desk.page.keyboard.press('F2')
  await expect.poll(() => at('call-bar').getAttribute('data-phase')).toBe('ringing')
  expect(await desk.dialled()).toHaveLength(1)
  const called = await at('survey-call').getAttribute('data-invite')
  await at('reason-NOANS').click()
  await expect.poll(async () => (await desk.call('surveys_queue', { round_id: round?.id ?? '', open_only: false })).invites.filter((one) => one.attempts === 1).length).toBe(1)

  // The next one answers, in no time at all: kept, and it does not count.
  await expect.poll(async () => ((await at('survey-call').count()) ? at('survey-call').getAttribute('data-invite') : called)).not.toBe(called)
  await desk.page.keyboard.press('F2')
  await expect.poll(() => at('call-bar').getAttribute('data-phase')).toBe('ringing')
  await desk.page.keyboard.press('Enter')
  await at('question-i1').waitFor()
  for (let count = 0; count < 14; count += 1) {
    await desk.page.keyboard.press('2')
    await desk.page.waitForTimeout(150)
  }
  await picture('call')
  await desk.page.keyboard.press('Control+Enter')
  await expect.poll(async () => (await desk.call('surveys_queue', { round_id: round?.id ?? '', open_only: false })).invites.filter((one) => one.status === 'invalid').length).toBe(1)
})
