import { describe, expect, it } from 'vitest'
import type { Plan } from '@/bindings/Plan'
import { fitToKind, freeCode, freshPlan, newQuestion } from './planDraft'

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

  it('begins a new plan without the name and diagnoses of the one it was copied from', () => {
    const general = { code: 'GEN', version: 3, name: { zh: 'a', en: 'b' }, review: 'approved', icd10: ['I10'], departments: ['x'] } as unknown as Plan
    const fresh = freshPlan(general)
    expect([fresh.code, fresh.name, fresh.review, fresh.icd10]).toEqual(['', { zh: '', en: '' }, 'draft', []])
    expect(general.code).toBe('GEN')
  })
})
