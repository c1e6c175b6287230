import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { openDesk, type Desk } from './desk'

let desk: Desk
afterEach(() => desk.close())

const at = (name: string) => desk.page.locator(`[data-test="${name}"]`)
const field = (path: string) => desk.page.locator(`[data-path="${path}"]`)
const go = (hash: string) => desk.page.goto(new URL(`/#${hash}`, desk.page.url()).href)

/** A desk in this language, with alice at it. */
async function open(locale: 'zh-CN' | 'en') {
  desk = await openDesk({ signedIn: true, locale })
  await desk.page.evaluate((chosen) => localStorage.setItem('aftercare.appearance', JSON.stringify({ locale: chosen })), locale)
  await desk.page.reload()
  await desk.page.waitForSelector('[data-test="shell"]')
}

async function pick(select: ReturnType<typeof at>, option: string) {
  await select.click()
  await desk.page.locator('.el-select-dropdown:visible').getByRole('option', { name: option, exact: true }).click()
}

/** Adds a question of the bank that is found by these words. */
async function take(words: string, id: string) {
  await at('bank-search').fill(words)
  await at(`take-${id}`).first().click()
}

const WORDS = {
  'zh-CN': { below: '不大于', value: '2', saved: /已保存/, whole: '全部内容都已带过来', alert: '请尽快联系病区', score: '分', notUsed: '没有异常' },
  en: { below: 'at most', value: '2', saved: /saved/, whole: 'Everything was carried over', alert: 'Call the ward soon', score: 'points', notUsed: 'No alert' },
} as const

for (const locale of ['zh-CN', 'en'] as const) {
  const words = WORDS[locale]
  test(`alice makes a questionnaire from the bank, tries it, saves it, and it travels as FHIR (${locale})`, async () => {
    await open(locale)
    await go('/plans')
    await at('new-questionnaire').click()
    await desk.page.waitForSelector('[data-ready="true"] [role="tablist"]')
    await at('plan-code').fill('WARD')
    await field('name').locator('input').first().fill('病区回访')
    await field('name').locator('input').nth(1).fill('Ward call-back')

    // Two questions of the bank, the later one first, then put in order with the keyboard.
    await at('tab-questions').click()
    await at('open-bank').click()
    await take('i2 SAT_IPD', 'i2')
    await take('i1 SAT_IPD', 'i1')
    const entries = desk.page.locator('.listing .entry')
    await expect.poll(() => entries.allInnerTexts().then((all) => all.map((one) => one.split(/\s/).pop()))).toEqual(['i2', 'i1'])
    await entries.nth(1).focus()
    await desk.page.keyboard.press('Alt+ArrowUp')
    await expect.poll(() => entries.allInnerTexts().then((all) => all.map((one) => one.split(/\s/).pop()))).toEqual(['i1', 'i2'])

    // The second is asked only where the first has an answer with few points.
    await entries.nth(1).click()
    const condition = field('form.questions.1.show_if')
    await condition.locator('[data-test="term-add"]').click()
    const option = locale === 'en' ? 'Dissatisfied' : '不满意'
    await condition.locator('[data-test="term-name"]').click()
    await desk.page.locator('.el-select-dropdown:visible [role="option"]').first().click()
    await pick(condition.locator('[data-test="term-value"]'), option)
    await expect.poll(() => condition.locator('textarea').inputValue()).toBe("i1 == '2'")

    // An alert, written as one line too.
    await at('tab-alerts').click()
    await at('add').click()
    const when = field('form.alerts.0.when')
    await when.locator('[data-test="term-add"]').click()
    await when.locator('[data-test="term-name"]').click()
    await desk.page.locator('.el-select-dropdown:visible [role="option"]').nth(1).click()
    await pick(when.locator('[data-test="term-value"]'), option)
    await expect.poll(() => when.locator('textarea').inputValue()).toBe("i2 == '2'")
    await field('form.alerts.0.say').locator('textarea').first().fill('请尽快联系病区')
    await field('form.alerts.0.say').locator('textarea').nth(1).fill('Call the ward soon')
    await expect.poll(() => at('save').isEnabled()).toBe(true)

    // Preview and test run.
    await at('tab-preview').click()
    await expect.poll(() => desk.page.getByRole('tabpanel').innerText()).toContain(words.alert)
    await at('try').click()
    await at('i1-2').click()
    await at('i2-2').click()
    await expect.poll(() => at('try-result').innerText()).toContain(words.alert)
    const answers = join(desk.folder, 'answers.json')
    await desk.answerDialog(answers)
    await at('answers-write').click()
    await expect.poll(() => { try { return JSON.parse(readFileSync(answers, 'utf8')).resourceType } catch { return '' } }).toBe('QuestionnaireResponse')

    await at('save').click()
    await desk.page.waitForSelector('[data-test="export"]')
    const made = await desk.call('forms_questionnaire', { code: 'WARD', version: null })
    expect(made.form.questions.map((one) => [one.id, one.show_if ?? null, one.options[0]?.points])).toEqual([['i1', null, 5], ['i2', "i1 == '2'", 5]])

    // Out as FHIR, and back as the next version: equal.
    const file = join(desk.folder, 'ward.json')
    await desk.answerDialog(file)
    await at('export').click()
    await expect.poll(() => at('not-carried').innerText()).toContain("i2 == '2'")
    await go('/plans')
    await desk.answerDialog(file)
    await at('import').click()
    await expect.poll(() => at('not-carried').innerText()).toContain(words.whole)
    const read = await desk.call('forms_questionnaire', { code: 'WARD', version: null })
    expect(read.shown.count).toBe(2)
    expect({ ...read.form, version: 0 }).toEqual({ ...made.form, version: 0 })
    await at('import-outcome').getByRole('link').click()
    await at('tab-versions').click()
    await expect.poll(() => at('compare').innerText()).toContain(locale === 'en' ? 'The two versions are the same.' : '两个版本内容相同。')
  })

  test(`a file that cannot be used is refused with where and what to do, a foreign one tells what it lost (${locale})`, async () => {
    await open(locale)
    const file = join(desk.folder, 'bad.json')
    const asked = (item: object[]) => writeFileSync(file, JSON.stringify({ resourceType: 'Questionnaire', status: 'draft', title: 'Imported sheet', item }))
    asked([{ linkId: 'grid-7', type: 'matrix' }])
    await go('/plans')
    await desk.answerDialog(file)
    await at('import').click()
    await expect.poll(() => desk.page.getByRole('alert').first().innerText()).toMatch(/grid-7.*matrix/s)
    asked([{ linkId: 'a', type: 'boolean', text: 'Well?' }, { linkId: 'photo', type: 'attachment', text: 'Photo' }])
    await desk.answerDialog(file)
    await at('import').click()
    await expect.poll(() => at('not-carried').innerText()).toContain('photo')
    expect((await desk.call('forms_questionnaire', { code: 'IMPORTED_SHEET', version: null })).form.questions).toHaveLength(1)
  })
}

test('a version is compared with the one before, and a plan is begun as a copy of another', async () => {
  desk = await openDesk({ signedIn: true })
  const { plan } = await desk.call('forms_plan', { code: 'HTN', version: null })
  plan.form.alerts[0]!.when = 'bp.sbp >= 190'
  await desk.call('forms_plan_save', { plan, based_on: 1 })
  await go('/plans/HTN')
  await at('tab-versions').click()
  await expect.poll(() => at('compare').innerText()).toContain('bp.sbp >= 190')
  await at('copy').click()
  await desk.page.waitForSelector('[data-ready="true"] [data-test="begin-as"]')
  await at('plan-code').fill('HTN2')
  await field('name').locator('input').first().fill('高血压加强随访')
  await expect.poll(() => at('save').isEnabled()).toBe(true)
  await at('save').click()
  await desk.page.waitForSelector('[data-test="export"]')
  const copied = await desk.call('forms_plan', { code: 'HTN2', version: null })
  expect([copied.plan.form.questions.length, copied.plan.icd10, copied.shown.count]).toEqual([plan.form.questions.length, [], 1])
})
