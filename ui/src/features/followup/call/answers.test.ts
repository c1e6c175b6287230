import { describe, expect, it } from 'vitest'
import type { Question } from '@/bindings/Question'
import { asTyped, choose, isChosen, readDay, readNumber, readPressure, typeScale } from './answers'

const text = { zh: '', en: '' }
const question = (more: Partial<Question>): Question => ({ id: 'q', type: 'single', text, required: false, sensitive: false, options: [], ...more })
const option = (code: string, exclusive = false) => ({ code, label: text, exclusive, ends: false })

describe('typed answers', () => {
  it.each([['36.8', 36.8], ['３６．８', 36.8], ['-2', -2], ['36。5', 36.5]])('reads %s', (typed, value) => expect(readNumber(typed)).toEqual({ type: 'number', value }))
  it.each(['', '36.', 'abc', '1/2'])('leaves "%s" unread', (typed) => expect(readNumber(typed)).toBeNull())

  it.each([['138/86', 138, 86], ['138 86', 138, 86], ['１３８／８６', 138, 86], ['138', 138, null]])('reads the pressure %s', (typed, sbp, dbp) =>
    expect(readPressure(typed)).toEqual({ type: 'bp', value: { sbp, dbp } }))
  it('does not take half a pressure for one', () => expect(readPressure('138/')).toBeNull())

  it.each([['2026-11-22', '2026-11-22'], ['20261122', '2026-11-22'], ['11-22', '2026-11-22'], ['1230', '2026-12-30'], ['2026年1月5日', '2026-01-05']])('reads the day %s', (typed, day) =>
    expect(readDay(typed, '2026-11-16')).toBe(day))
  it('takes the year that is nearest', () => expect(readDay('1-5', '2026-12-28')).toBe('2027-01-05'))
  it('knows the calendar', () => expect(readDay('2026-02-30', '2026-11-16')).toBeNull())

  it('writes back what it read', () => {
    expect(asTyped(readPressure('138 86'))).toBe('138/86')
    expect(asTyped(readNumber('36.80'))).toBe('36.8')
  })
})

describe('chosen answers', () => {
  const multi = question({ type: 'multi', options: [option('a'), option('b'), option('none', true)] })

  it('toggles options, and an exclusive one stands alone', () => {
    const first = choose(multi, undefined, 1) ?? undefined
    const both = choose(multi, first, 0) ?? undefined
    expect(both).toEqual({ type: 'multi', value: ['a', 'b'] })
    const none = choose(multi, both, 2) ?? undefined
    expect(none).toEqual({ type: 'multi', value: ['none'] })
    expect(choose(multi, none, 0)).toEqual({ type: 'multi', value: ['a'] })
    expect(choose(multi, none, 2)).toBeNull()
  })

  it('takes 1 for yes and 2 for no, and nothing for a key without an option', () => {
    const bool = question({ type: 'bool' })
    expect([choose(bool, undefined, 0), choose(bool, undefined, 1), choose(bool, undefined, 2)]).toEqual([{ type: 'bool', value: true }, { type: 'bool', value: false }, undefined])
    expect(isChosen(bool, { type: 'bool', value: false }, 1)).toBe(true)
    expect(choose(question({ options: [option('a')] }), undefined, 3)).toBeUndefined()
  })
})

describe('digits on a scale', () => {
  const pain = question({ type: 'scale', min: 0, max: 10 })
  it('waits for a second digit only where one can follow', () => {
    expect(typeScale(pain, '', '7')).toEqual({ typed: '7', value: 7, settled: true })
    expect(typeScale(pain, '', '1')).toEqual({ typed: '1', value: 1, settled: false })
    expect(typeScale(pain, '1', '0')).toEqual({ typed: '10', value: 10, settled: true })
    expect(typeScale(pain, '1', '5')).toEqual({ typed: '5', value: 5, settled: true })
  })
  it('leaves what is no step', () => expect(typeScale(question({ type: 'scale', min: 1, max: 5 }), '', '8').value).toBeNull())
})
