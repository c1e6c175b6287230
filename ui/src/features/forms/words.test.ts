import { describe, expect, it } from 'vitest'
import { setLocale } from '@/app/i18n'
import type { Form } from '@/bindings/Form'
import type { Question } from '@/bindings/Question'
import { explain, say } from './words'

const words = (en: string) => ({ zh: en, en })
function question(id: string, text: string, options: [string, string][] = []): Question {
  return {
    id, type: options.length ? 'single' : 'number', text: words(text), required: false, sensitive: false,
    options: options.map(([code, label]) => ({ code, label: words(label), exclusive: false, ends: false })),
  }
}
const form: Form = {
  code: 'T', version: 1, title: words('T'), sections: [], parts: [], alerts: [],
  questions: [question('temp', 'Temperature'), question('wound', 'Wound', [['ok', 'Dry'], ['pus', 'Pus']]), { ...question('bp', 'Pressure'), type: 'bp' }],
  calculations: [{ id: 'gain', label: words('Gain'), expr: 'temp' }], classes: [{ class: 'bad', label: words('Not controlled'), when: 'temp > 1' }],
}

describe('a condition in words', () => {
  it.each([
    ['temp >= 38.5 || wound == \'pus\'', 'Temperature ≥ 38.5 or Wound is Pus'],
    ['chosen(wound, \'pus\') && !answered(temp)', 'Wound chosen Pus and not Temperature answered'],
    ['wound in [\'ok\', \'pus\']', 'Wound is one of Dry, Pus'],
    ['bp.sbp < 90', 'Pressure systolic < 90'],
    ['class != \'bad\'', 'class is not Not controlled'],
    ['gain > 2', 'Gain > 2'],
    ['wound == \'unheard\' && (', 'Wound is unheard and ('],
    ['', ''],
  ])('%s', async (source, expected) => {
    await setLocale('en')
    expect(explain(source, form)).toBe(expected)
    await setLocale('zh-CN')
  })
})

describe('a text of the content', () => {
  it('is shown in the other language rather than not at all', async () => {
    await setLocale('en')
    expect([say({ zh: 'a', en: '' }), say({ zh: 'a', en: 'b' }), say(null)]).toEqual(['a', 'b', ''])
    await setLocale('zh-CN')
    expect(say({ zh: '', en: 'b' })).toBe('b')
  })
})
