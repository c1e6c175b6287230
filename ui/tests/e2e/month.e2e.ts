// A month to its frozen workbook: written, frozen, a late arrival restated, the hospital's own form filled.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { ALICE, openDesk, type Desk } from './desk'

const TEMPLATES = fileURLToPath(new URL('../../../assets/templates', import.meta.url))
const SHOTS = process.env.AFTERCARE_SHOTS

let desk: Desk
afterEach(async () => desk.close())

async function shot(name: string) {
  if (SHOTS) await desk.page.screenshot({ path: join(SHOTS, `${name}.png`) })
}

/** A complaint of October. */
const complained = () =>
  desk.call('complaints_register', {
    form: { channel: 'phone', complainant: '王伟', departments: ['心血管内科'], category: 'ATT', subcategory: 'cold', severity: 'C', summary: '无人应答' } as never,
    received_at: '2026-10-20 10:00'
  } as never)

for (const [locale, width, height] of [['zh-CN', 1366, 768], ['en', 1920, 1080]] as const) {
  test(`a month is written, frozen, restated and filled into a form (${locale})`, async () => {
    desk = await openDesk({ signedIn: true, locale, width, height })
    const { page } = desk
    await desk.setClock(new Date('2026-11-03T01:00:00Z'))
    await desk.call('session_login', { login: ALICE.login, password: ALICE.password })
    await complained()
    if (locale === 'en') await page.evaluate(() => localStorage.setItem('aftercare.appearance', JSON.stringify({ locale: 'en' })))
    await page.goto(`${new URL(page.url()).origin}/#/reports/month?month=2026-10`)
    await page.reload()
    await page.waitForSelector('[data-test="figures-complaints"]')

    // The ready-made workbook, its first sheet moved down by the keyboard, kept under a name.
    await page.click('[data-test="open-month-export"]')
    await page.focus('[data-test="sheet-followup"] input')
    await page.keyboard.press('Alt+ArrowDown')
    expect(await page.locator('[data-test^="sheet-"]').first().getAttribute('data-test')).toBe('sheet-complaints')
    await page.fill('[data-test="definition-name"]', '院办')
    await page.click('[data-test="definition-save"]')
    await page.waitForSelector('[data-test="definition"]')
    const book = join(desk.folder, 'october.xlsx')
    await desk.answerDialog(book)
    await page.click('[data-test="month-choose"]')
    await page.fill('[data-test="month-reason"]', '十月月报')
    await page.fill('[data-test="month-password"]', ALICE.password)
    await shot(`export-${locale}`)
    await page.click('[data-test="month-start"]')
    await page.waitForSelector('[data-test="month-done"]')
    expect(readFileSync(book).subarray(0, 2).toString()).toBe('PK')

    // Frozen; a complaint that came later changes nothing and is restated.
    await page.click('[data-test="open-freeze"]')
    await page.click('[data-test="freeze-start"]')
    await page.waitForSelector('[data-test="restatement"]')
    await complained()
    await page.reload()
    await page.waitForSelector('[data-test="restated-complaints"]')
    expect(await page.textContent('[data-test="restated-complaints"]')).toContain('1')
    await shot(`frozen-${locale}`)
    const month = await desk.call('reports_month', { month: '2026-10' })
    expect(month.freezes.map((one) => one.in_force)).toEqual([true])

    // Frozen again only with a reason; both are listed.
    await page.click('[data-test="open-freeze"]')
    expect(await page.isDisabled('[data-test="freeze-start"]')).toBe(true)
    await page.fill('[data-test="freeze-reason"]', '补录一件')
    await page.click('[data-test="freeze-start"]')
    await page.waitForFunction(() => document.querySelectorAll('[data-test="freezes"] li').length === 2)

    // The hospital's own form, and the list of what it may name.
    await page.click('[data-test="open-month-export"]')
    await page.click('[data-test="kind-template"]')
    await page.click('[data-test="open-placeholders"]')
    await page.fill('[data-test="placeholder-find"]', 'FU_RATIO')
    await shot(`placeholders-${locale}`)
    await page.keyboard.press('Escape')
    await page.click('[data-test="kind-template"]')
    const filled = join(desk.folder, 'filled.xlsx')
    await desk.answerDialog(join(TEMPLATES, `month.${locale}.xlsx`))
    await page.click('[data-test="template-choose"]')
    await desk.answerDialog(filled)
    await page.click('[data-test="month-choose"]')
    await page.fill('[data-test="month-reason"]', '十月月报')
    await page.fill('[data-test="month-password"]', ALICE.password)
    await page.click('[data-test="month-start"]')
    await page.waitForSelector('[data-test="month-done"]')
    expect(existsSync(filled)).toBe(true)
    await shot(`filled-${locale}`)
  })
}
