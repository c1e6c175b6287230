import { describe, expect, test } from 'vitest'
import type { Form } from '@/bindings/Form'
import { askable, read, write } from './condition'

const text = { zh: '', en: '' }
const question = (id: string, type: string, codes: string[] = []) => ({
  id, type, text, required: false, sensitive: false, options: codes.map((code) => ({ code, label: text, exclusive: false, ends: false })),
})
const form = {
  code: 'X', version: 1, title: text, sections: [], parts: [], alerts: [], classes: [{ class: 'bad', label: text, when: '' }],
  calculations: [{ id: 'sum', label: text, expr: '' }],
  questions: [question('s', 'single', ['a', "it's"]), question('m', 'multi', ['x']), question('yes', 'bool'), question('n', 'number'), question('bp', 'bp'), question('day', 'date'), question('hint', 'note')],
} as unknown as Form

describe('conditions of the simple kind', () => {
  test.each([
    "s == 'a'", "s != 'it\\'s'", "s in ['a', 'it\\'s']", "chosen(m, 'x')", "!chosen(m, 'x')", 'yes == true', 'n >= -2.5', 'bp.sbp >= 180 || bp.dbp >= 110',
    "day > '2026-01-31' && answered(n) && !answered(s)", "class == 'bad' || sum > 3", 'patient.age >= 65', '',
  ])('%s comes back as it was', (source) => {
    const lines = read(source, askable(form))
    expect(lines).not.toBeNull()
    expect(write(lines!)).toBe(source)
  })

  test('a bare question is one that was answered with yes', () => {
    expect(write(read('yes && !yes', askable(form))!)).toBe('yes == true && yes == false')
  })

  test.each([
    "s == 'a' && (n > 1 || yes)", "s == 'a' && n > 1 || yes", 'n + 1 > 3', "zz == 'a'", 'hint == true', "n > 'a'", "mentions(words, ['a'])", "s == 'a' &&",
  ])('%s stays as it is written', (source) => {
    expect(read(source, askable(form))).toBeNull()
  })

  test('signs in quotation marks join nothing', () => {
    expect(read("s == 'a && b'", askable(form))?.terms).toEqual([{ name: 's', operator: '==', value: 'a && b' }])
  })

  test('a question asks about earlier ones only', () => {
    expect(askable(form, 1).map((one) => one.name)).toEqual(['s', 'patient.age'])
    expect(read('n > 1', askable(form, 1))).toBeNull()
  })

  test('a line without a value is not written yet', () => {
    expect(write({ join: 'and', terms: [{ name: 's', operator: '==', value: null }, { name: 'n', operator: '>', value: 1 }] })).toBe('n > 1')
  })
})
