import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDesk, type Desk } from './desk'

const EXTRACT = fileURLToPath(new URL('../../../assets/demo/出院患者_gb18030.csv', import.meta.url))
/** A Friday morning within calling hours. */
const FRIDAY = new Date('2026-11-20T10:00:00+08:00')

let desk: Desk
const at = (name: string) => desk.page.locator(`[data-test="${name}"]`)

async function open(path: string) {
  // An address that is given before the first page is there comes to nothing.
  await expect.poll(() => desk.page.evaluate(() => document.querySelector('[data-path] [data-ready="true"]') !== null), { timeout: 20_000 }).toBe(true)
  await desk.page.goto(new URL(`/#${path}`, desk.page.url()).href)
  // Asked from here: a page whose clock stands still has no frames to wait in.
  const shown = () => desk.page.evaluate(() => {
    const place = document.querySelector<HTMLElement>('[data-path]')
    return place?.querySelector('[data-ready="true"]') ? place.dataset.path : null
  })
  await expect.poll(shown, { timeout: 20_000 }).toBe(path)
}

beforeEach(async () => {
  desk = await openDesk({ signedIn: true })
  await desk.setClock(FRIDAY)
  await desk.page.clock.setFixedTime(FRIDAY)
  await desk.call('imports_run', { path: EXTRACT, sheet: null, columns: null, dry_run: false, language: null, report: null })
})
afterEach(() => desk.close())

test('a bar of the funnel opens exactly the tasks it counts', async () => {
  await desk.page.reload()
  const scope = { from: '2026-11-01', to: '2026-11-30', department: null }
  const { funnel } = await desk.call('reports_figures', { scope })
  const due = funnel.find((step) => step.step === 'due')?.tasks ?? 0
  expect(due).toBeGreaterThan(0)
  await open('/reports?period=free&from=2026-11-01&to=2026-11-30')
  // The first bar of the second chart.
  await desk.page.locator('figure').nth(1).locator('svg path[fill="#0e5a5e"]').first().click({ force: true })
  await expect.poll(() => at('rows').innerText()).toContain(`分母 ${due}`)
  await expect.poll(() => at('rows').getByRole('grid').getAttribute('aria-rowcount')).toBe(String(due + 1))
})

test('the record tells of the import and the plan, and a task closed by mistake is wanted again', async () => {
  await desk.page.reload()
  const list = await desk.call('followup_worklist', { filter: { kind: 'all' }, on: null, cursor: null, limit: 1 })
  const row = list.rows[0]
  const task = row?.tasks[0]
  if (!row || !task) throw new Error('somebody is due')
  await open(`/patients/${row.patient_id}`)
  await expect.poll(() => at('timeline').innerText()).toContain('第 1 批')
  await expect.poll(() => at('plans').innerText()).toContain('进行中')
  await desk.call('followup_close_task', { task_id: task.id, reason: '门诊已随访' })
  await at('task-cancelled').first().waitFor()
  expect(await at('task-cancelled').first().getAttribute('title')).toContain('门诊已随访')
  await at('reopen').first().click()
  await at('toast').first().waitFor()
  await expect.poll(() => at('task-cancelled').count()).toBe(0)
})

test('a question asked by mistake is withdrawn from the call page', async () => {
  await desk.page.reload()
  const list = await desk.call('followup_worklist', { filter: { kind: 'all' }, on: null, cursor: null, limit: 1 })
  const row = list.rows[0]
  if (!row) throw new Error('somebody is due')
  await desk.call('followup_ask', { patient_id: row.patient_id, department: row.department, asked_of: null, question: '伤口可以沾水吗？' })
  await open(`/followup/${row.patient_id}`)
  await at('withdraw').click()
  await at('toast').first().waitFor()
  await expect.poll(() => at('withdraw').count()).toBe(0)
})
