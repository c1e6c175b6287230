import { describe, expect, it } from 'vitest'
import { isMonth, lastMonth, moved, reordered } from './month'

describe('the month of a report', () => {
  it('is the last whole one, across years too', () => {
    expect([lastMonth('2026-11-22'), lastMonth('2027-01-05')]).toEqual(['2026-10', '2026-12'])
    expect([moved('2026-12', 1), moved('2026-01', -1), moved('2026-03', -15)]).toEqual(['2027-01', '2025-12', '2024-12'])
  })

  it('is written as year and month', () => {
    expect(['2026-10', '2026-13', '2026-1', '', null].map(isMonth)).toEqual([true, false, false, false, false])
  })
})

describe('the order of sheets', () => {
  it('moves one up or down and no further than the ends', () => {
    expect(reordered(['a', 'b', 'c'], 1, -1)).toEqual(['b', 'a', 'c'])
    expect(reordered(['a', 'b', 'c'], 1, 1)).toEqual(['a', 'c', 'b'])
    expect(reordered(['a', 'b', 'c'], 0, -1)).toEqual(['a', 'b', 'c'])
    expect(reordered(['a', 'b', 'c'], 2, 1)).toEqual(['a', 'b', 'c'])
  })
})
