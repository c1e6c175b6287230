import { describe, expect, it } from 'vitest'
import type { Plan } from '@/bindings/Plan'
import { asForm, asPlan, fromCopy, fromNothing } from './document'
import { moveEntry } from './order'
import { fitToKind, freeCode, newQuestion } from './planDraft'

describe('editing a plan', () => {
  it('finds a code that is free', () => {
    expect([freeCode('D7', []), freeCode('D7', ['D7']), freeCode('D7', ['D7', 'D7_2'])]).toEqual(['D7', 'D7_2', 'D7_3'])
  })

  it('takes along only what fits the kind of question', () => {
    const plan = { form: { questions: [] } } as unknown as Plan
    const question = newQuestion(plan)
    question.type = 'single'
    fitToKind(question)
    expect(question.options).toHaveLength(1)
    question.type = 'scale'
    fitToKind(question)
    expect([question.options, question.min, question.max]).toEqual([[], 0, 10])
    question.type = 'text'
    fitToKind(question)
    expect([question.min, question.max]).toEqual([null, null])
  })

  it('begins a copy without the name and diagnoses of the one it was copied from', () => {
    const general = { code: 'GEN', version: 3, name: { zh: 'a', en: 'b' }, review: 'approved', icd10: ['I10'], departments: ['x'] } as unknown as Plan
    const fresh = fromCopy(general)
    expect([fresh.code, fresh.name, fresh.review, fresh.icd10]).toEqual(['', { zh: '', en: '' }, 'draft', []])
    expect(general.code).toBe('GEN')
  })

  it('begins a plan from nothing with the script, one timepoint and no questions', () => {
    const timepoints = [{ code: 'D7', part: 'early', only_if: 'x' }, { code: 'D30' }]
    const general = { code: 'GEN', name: {}, timepoints, script: { opening: { zh: '您好', en: '' } }, form: { questions: [{}], parts: [{ code: 'full', title: { zh: '完整题组', en: 'Full' } }] }, exclude: [{}] } as unknown as Plan
    const fresh = fromNothing('plan', general)
    expect([fresh.timepoints.map((one) => [one.code, one.part, one.only_if]), fresh.script.opening.zh, fresh.form.questions, fresh.exclude]).toEqual([[['D7', 'full', null]], '您好', [], []])
  })

  it('edits a questionnaire in the shape of a plan and gives it back', () => {
    const form = asForm(fromNothing('questionnaire', null))
    form.code = 'PAIN'
    form.title = { zh: '疼痛', en: 'Pain' }
    expect(asForm(asPlan(form))).toEqual(form)
  })

  it('moves an entry to its place and never beyond the ends', () => {
    const list = ['a', 'b', 'c']
    moveEntry(list, 0, 2)
    expect(list).toEqual(['b', 'c', 'a'])
    moveEntry(list, 0, -1)
    moveEntry(list, 2, 3)
    expect(list).toEqual(['b', 'c', 'a'])
  })
})
