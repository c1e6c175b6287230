import { expect, test } from 'vitest'
import { daysOf } from './scope'

test('periods begin with a month and end today', () => {
  expect(daysOf('last_12', '2026-11-16')).toEqual({ from: '2025-12-01', to: '2026-11-16' })
  expect(daysOf('last_12', '2026-12-31')).toEqual({ from: '2026-01-01', to: '2026-12-31' })
  expect(daysOf('quarter', '2026-11-16')).toEqual({ from: '2026-10-01', to: '2026-11-16' })
  expect(daysOf('this_year', '2026-03-02')).toEqual({ from: '2026-01-01', to: '2026-03-02' })
  expect(daysOf('this_month', '2026-03-02')).toEqual({ from: '2026-03-01', to: '2026-03-02' })
})
