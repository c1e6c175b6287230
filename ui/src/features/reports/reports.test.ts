import { describe, expect, it } from 'vitest'
import type { Permission } from '@/bindings/Permission'
import type { ResponseOf } from '@/backend'
import { figureBehind, readCell } from './behind'
import { hoursShown, share, wholeTrend } from './charts'
import { daysOf, eachDay, firstKind, isPeriod } from './period'
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
    expect(eachDay({ from: '2026-02-27', to: '2026-03-02' })).toEqual(['2026-02-27', '2026-02-28', '2026-03-01', '2026-03-02'])
  })
})

describe('the charts', () => {
  it('show days without work as days', () => {
    const days = wholeTrend([{ on: '2026-11-02', due: 3, done: 1 }], { from: '2026-11-01', to: '2026-11-03' })
    expect(days).toEqual([{ on: '2026-11-01', due: 0, done: 0 }, { on: '2026-11-02', due: 3, done: 1 }, { on: '2026-11-03', due: 0, done: 0 }])
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
  const figures = {
    figures: [{ code: 'connection_by_call', numerator: 15, denominator: 24 }], trend: [], departments: [],
    funnel: [{ step: 'due', patients: 21 }, { step: 'called', patients: 9 }, { step: 'reached', patients: 5 }, { step: 'completed', patients: 4 }],
    answering: [{ weekday: 3, hour: 10, calls: 7, connected: 2 }],
  } as unknown as ResponseOf<'reports_figures'>

  it('are those of a bar of the funnel, as a share of all who are due', () => {
    expect(figureBehind(figures, 'funnel_reached', null)).toEqual({ code: 'funnel_reached', numerator: 5, denominator: 21 })
    expect(figureBehind(figures, 'no_such', null)).toBeNull()
  })

  it('are those of one hour of one weekday', () => {
    expect(figureBehind(figures, 'connection_by_call', readCell('3-10'))).toEqual({ code: 'connection_by_call', numerator: 2, denominator: 7 })
    expect(figureBehind(figures, 'connection_by_call', null)?.denominator).toBe(24)
    expect(['', '8-1', '3-24', '3-1o', '0-3'].map(readCell)).toEqual([null, null, null, null, null])
  })
})
