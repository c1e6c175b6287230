import { describe, expect, it } from 'vitest'
import { asRequest, choose, firstChoices, missing, reasons, standing } from './columns'

const column = (index: number, field: string | null, confidence: number) => ({ index, heading: `h${index}`, field, confidence, samples: [] })

describe('matching columns', () => {
  const columns = [column(0, 'mrn', 100), column(1, 'name', 90), column(2, 'phone', 50), column(3, null, 0)]

  it('takes sure matches and only shows guesses', () => {
    const choices = firstChoices(columns)
    expect(choices).toEqual({ 0: 'mrn', 1: 'name', 2: null, 3: null })
    expect(columns.map((one) => standing(one, choices))).toEqual(['matched', 'matched', 'guess', 'left_out'])
  })

  it('moves a field that only one column may fill', () => {
    const moved = choose(firstChoices(columns), 3, 'name')
    expect(moved).toEqual({ 0: 'mrn', 1: null, 2: null, 3: 'name' })
    const both = choose(choose(moved, 1, 'phone'), 2, 'phone')
    expect([both[1], both[2]]).toEqual(['phone', 'phone'])
  })

  it('says what is still needed', () => {
    expect(missing(firstChoices(columns))).toEqual([])
    expect(missing({ 0: null, 1: 'sex' })).toEqual(['name', 'identity'])
    expect(asRequest({ 0: 'mrn', 3: null })).toEqual([{ index: 0, field: 'mrn' }, { index: 3, field: null }])
  })

  it('counts reasons, the most frequent first', () => {
    expect(reasons([{ code: 'b' }, { code: 'a' }, { code: 'b' }])).toEqual([{ code: 'b', count: 2 }, { code: 'a', count: 1 }])
  })
})
