import { describe, expect, it } from 'vitest'
import type { Permission } from '@/bindings/Permission'
import { passedOver, readCell, readRows } from './behind'
import { byMonth, hoursShown, pointName, share } from './charts'
import { daysOf, firstKind, isPeriod } from './period'
import { nextSteps } from './today'

describe('the period of a report', () => {
  it('is the month before while its report is being written', () => {
    expect(['2026-12-01', '2026-12-10', '2026-12-11', '2026-12-31'].map(firstKind)).toEqual(['last_month', 'last_month', 'this_month', 'this_month'])
  })

  it('ends today when it is still running', () => {
    expect(daysOf('this_month', '2026-11-22')).toEqual({ from: '2026-11-01', to: '2026-11-22' })
    expect(daysOf('quarter', '2026-11-22')).toEqual({ from: '2026-10-01', to: '2026-11-22' })
  })

  it('crosses years and leap days', () => {
    expect(daysOf('last_month', '2027-01-05')).toEqual({ from: '2026-12-01', to: '2026-12-31' })
    expect(daysOf('last_month', '2028-03-31')).toEqual({ from: '2028-02-01', to: '2028-02-29' })
    expect(daysOf('quarter', '2026-03-31').from).toBe('2026-01-01')
  })

  it('is two days in order', () => {
    expect([isPeriod('2026-11-01', '2026-11-30'), isPeriod('2026-12-01', '2026-11-30'), isPeriod('', '2026-11-30'), isPeriod(undefined, null)]).toEqual([true, false, false, false])
  })
})

describe('the charts', () => {
  it('call points of a long period by their month', () => {
    const month = { on: '2026-10-05', until: '2026-10-31', due: 3, done: 1 }
    const day = { ...month, until: month.on }
    expect([byMonth([month]), byMonth([day, day]), byMonth([])]).toEqual([true, false, false])
    expect([pointName(month, true), pointName(day, false)]).toEqual(['2026-10', '2026-10-05'])
  })

  it('show office hours always, and others once somebody called', () => {
    const at = (hour: number) => ({ weekday: 1, hour, calls: 2, connected: 1 })
    expect(hoursShown([])).toEqual([8, 9, 10, 11, 12, 13, 14, 15, 16, 17])
    expect(hoursShown([at(19)]).at(-1)).toBe(19)
  })

  it('never share nothing', () => {
    expect([share(1, 3), share(0, 0)]).toEqual(['33.3%', '—'])
  })
})

describe('what to do next', () => {
  const as = (...permissions: Permission[]) => (permission: Permission) => permissions.includes(permission)
  const names = (...given: Parameters<typeof nextSteps>) => nextSteps(...given).map((step) => step.name)
  const queue = { due: 40, flagged: 2, overdue: 5, mine: 0 }

  it('for a nurse: red flags before what is late, and nothing that is empty', () => {
    const nurse = as('followup_work', 'report_read')
    expect(names(nurse, queue, { anybody: true })).toEqual(['flagged', 'overdue'])
    expect(names(nurse, { ...queue, flagged: 0, overdue: 0 }, { anybody: true })).toEqual([])
  })

  it('on the first day: the first list, then the colleagues', () => {
    expect(names(as('import_run', 'staff_edit', 'backup'), null, { anybody: false })).toEqual(['first_import', 'people', 'backup'])
  })

  it('for a supervisor: the report; for the administrator: the backup', () => {
    expect(names(as('followup_manage', 'import_run', 'report_export'), queue, { anybody: true })).toEqual(['flagged', 'overdue', 'import', 'report'])
    expect(names(as('backup'), queue, { anybody: true })).toEqual(['backup'])
  })
})

describe('the rows behind a chart', () => {
  const scope = { from: '2026-11-01', to: '2026-11-30', department: null, plan: 'HTN', nurse: null, site: null }
  const read = (query: Record<string, string>) => readRows((name) => query[name] ?? '', scope)

  it('are those of the page, narrowed to the bar that was chosen', () => {
    expect(read({ rows: 'funnel_reached' })).toEqual({ code: 'funnel_reached', numerator: true, cell: null, slice: null, scope })
    expect(read({ rows: 'tasks_done', part: 'all', r_nurse: 'n1', r_from: '2026-11-02', r_to: '2026-11-02' })?.scope).toEqual({ ...scope, from: '2026-11-02', to: '2026-11-02', nurse: 'n1' })
    expect(read({ rows: 'complaint_ageing', slice: 'overdue' })?.slice).toBe('overdue')
    expect([read({ rows: 'no_such' }), read({})]).toEqual([null, null])
  })

  it('are those of one hour of one weekday, of calls alone', () => {
    expect(read({ rows: 'connection_by_call', cell: '3-10' })?.cell).toEqual({ weekday: 3, hour: 10 })
    expect(read({ rows: 'completion', cell: '3-10' })?.cell).toBeNull()
    expect(['', '8-1', '3-24', '3-1o', '0-3'].map(readCell)).toEqual([null, null, null, null, null])
  })

  it('say which filters were passed over, of those that are set', () => {
    expect(passedOver(['plan', 'nurse'], scope)).toEqual(['plan'])
    expect(passedOver(['period', 'plan'], { ...scope, plan: null })).toEqual(['period'])
  })
})
