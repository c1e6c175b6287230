import { expect, test } from 'vitest'
import type { Question } from '@/bindings/Question'
import { choices, chosen, isChosen } from './answers'

const question = (more: Partial<Question>) => ({ id: 'q', text: { zh: '问', en: 'ask' }, required: false, options: [], sensitive: false, ...more }) as unknown as Question
const rating = question({ type: 'single', options: ['5', '4', '3', '2', '1', '0'].map((code) => ({ code, label: { zh: code, en: code }, exclusive: false, ends: false, points: code === '0' ? undefined : Number(code) })) } as Partial<Question>)

test('a rating is typed as its points, and 0 does not apply', () => {
  expect(choices(rating).map((one) => one.key)).toEqual(['5', '4', '3', '2', '1', '0'])
  expect(choices(rating).every((one) => one.key === one.code)).toBe(true)
})

test('other choices are typed in their order', () => {
  const back = question({ type: 'single', options: ['yes', 'maybe', 'no'].map((code) => ({ code, label: { zh: code, en: code }, exclusive: false, ends: false })) } as Partial<Question>)
  expect(choices(back).map((one) => one.key)).toEqual(['1', '2', '3'])
  expect(choices(question({ type: 'bool' }))).toEqual([{ code: 'yes', key: '1' }, { code: 'no', key: '0' }])
})

test('what excludes everything else stands alone', () => {
  const bad = question({ type: 'multi', options: [{ code: 'wait', exclusive: false }, { code: 'fee', exclusive: false }, { code: 'none', exclusive: true }].map((one) => ({ ...one, label: { zh: '', en: '' }, ends: false })) } as Partial<Question>)
  const first = chosen(bad, undefined, 'wait')
  const both = chosen(bad, first ?? undefined, 'fee')
  expect(both).toEqual({ type: 'multi', value: ['wait', 'fee'] })
  expect(chosen(bad, both ?? undefined, 'none')).toEqual({ type: 'multi', value: ['none'] })
  expect(chosen(bad, { type: 'multi', value: ['none'] }, 'none')).toBeNull()
  expect(isChosen(both ?? undefined, 'fee')).toBe(true)
})
