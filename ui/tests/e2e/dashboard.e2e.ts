import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { ALICE, openDesk, type Desk } from './desk'

const EXTRACT = fileURLToPath(new URL('../../../assets/demo/出院患者_gb18030.csv', import.meta.url))
/** A Friday morning within calling hours. */
const FRIDAY = new Date('2026-11-20T10:00:00+08:00')
const MONTH = 'period=free&from=2026-11-01&to=2026-11-30'
/** Pictures to look at, where a folder is named. */
const PICTURES = process.env.AFTERCARE_PICTURES

let desk: Desk
const at = (name: string) => desk.page.locator(`[data-test="${name}"]`)
afterEach(() => desk.close())

/** Six patients of the import are called, nobody answers. */
async function aMonthsWork() {
  await desk.setClock(FRIDAY)
  await desk.call('imports_run', { path: EXTRACT, sheet: null, columns: null, dry_run: false, language: null, report: null })
  const { rows } = await desk.call('followup_worklist', { filter: { kind: 'all' }, on: null, cursor: null, limit: 6 })
  for (const [index, row] of rows.entries()) {
    const opened = await desk.call('followup_open', { patient_id: row.patient_id } as never)
    await desk.call('followup_save_call', {
      call_id: crypto.randomUUID(), call_token: null, patient_id: row.patient_id, tasks: opened.tasks.map((task) => task.id), phone_id: opened.phones[0]?.id ?? null,
      reason: index % 3 === 0 ? 'NOANS' : 'BUSY', answers: {}, appointment_at: null, remark: '', deceased_on: null, started_at: null, ended_at: null, filter: { kind: 'all' },
    })
  }
}

async function open(path: string) {
  await desk.page.goto(new URL(`/#${path}`, desk.page.url()).href)
  await desk.page.reload()
  await desk.page.waitForSelector('[data-ready="true"]')
}

async function picture(name: string) {
  if (!PICTURES) return
  mkdirSync(PICTURES, { recursive: true })
  await desk.page.waitForTimeout(600)
  await desk.page.screenshot({ path: join(PICTURES, `${name}.png`) })
}

for (const locale of ['zh-CN', 'en'] as const) {
  const wide = process.env.AFTERCARE_WIDTH === '1920'
  test(`a nurse's tasks of a plan open from the dashboard and export with the same count (${locale})`, async () => {
    desk = await openDesk({ signedIn: true, locale, width: wide ? 1920 : 1366, height: wide ? 1080 : 768 })
    await desk.page.evaluate((chosen) => localStorage.setItem('aftercare.appearance', JSON.stringify({ locale: chosen })), locale)
    await aMonthsWork()
    await open(`/reports?${MONTH}`)
    await picture(`${locale}-page`)
    expect(await desk.page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true)

    const { nurses } = await desk.call('reports_departments', {})
    const nurse = nurses.find((one) => one.name === ALICE.display_name)?.id ?? ''
    const scope = { from: '2026-11-01', to: '2026-11-30', department: null, nurse }
    const called = await desk.call('reports_rows', { code: 'funnel_called', numerator: true, scope, cell: null, offset: 0, limit: 500 })
    const plan = called.rows[0]?.plan_code ?? ''
    const hers = await desk.call('reports_rows', { code: 'funnel_called', numerator: false, scope: { ...scope, plan }, cell: null, offset: 0, limit: 500 })
    expect(hers.total).toBeGreaterThan(0)

    await open(`/reports?${MONTH}&nurse=${nurse}&plan=${plan}`)
    await expect.poll(() => at('figure-followup_ratio').innerText()).toMatch(/不按|Not narrowed/)
    // The table of a chart is reached by keys, and its rows open as its bars do.
    await desk.page.locator('figure').nth(1).locator('.switch').press('Enter')
    await desk.page.locator('figure').nth(1).locator('.open').first().press('Enter')
    await expect.poll(() => at('denominator').innerText()).toContain(String(hers.total))
    await expect.poll(() => at('rows').getByRole('grid').getAttribute('aria-rowcount')).toBe(String(hers.total + 1))
    await picture(`${locale}-rows`)

    const file = join(desk.folder, 'rows.xlsx')
    await at('export-rows').click()
    await desk.answerDialog(file)
    await at('export-choose').click()
    await at('export-reason').fill('核对')
    await at('export-password').fill(ALICE.password)
    await at('export-start').click()
    await at('export-done').waitFor()
    expect(await at('export-done').innerText()).toContain(String(hers.total))
    expect(existsSync(file)).toBe(true)
    await picture(`${locale}-export`)

    await open(`/reports?${MONTH}`)
    await at('chart-ageing').scrollIntoViewIfNeeded()
    await picture(`${locale}-more`)
  })
}
