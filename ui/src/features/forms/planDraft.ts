import type { Plan } from '@/bindings/Plan'
import type { Timepoint } from '@/bindings/Timepoint'
import type { Question } from '@/bindings/Question'
import type { AlertRule } from '@/bindings/AlertRule'

/** Stands for the code of a plan or questionnaire that has none yet, in the page's address. */
export const NEW_CODE = 'new'
/** Stands for "from nothing" where the address names what a new one begins as. */
export const NOTHING = '-'
/** The plan that new ones begin as when nothing else is chosen: its script and questions are needed by all. */
export const GENERAL = 'GEN'

/** What is being edited. */
export interface PlanDraft {
  plan: Plan | null
  /** The latest version when editing began. */
  based_on: number | null
}

/** A copy that shares nothing with the original. */
export function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}

/** A code that none of the list has: `D7`, `D7_2`, … */
export function freeCode(wanted: string, taken: string[]): string {
  let code = wanted
  for (let number = 2; taken.includes(code); number += 1) code = `${wanted}_${number}`
  return code
}

/** A new timepoint after the last one. */
export function newTimepoint(plan: Plan): Timepoint {
  const day = Math.max(0, ...plan.timepoints.map((timepoint) => timepoint.offset_days)) + 7
  return {
    code: freeCode(`D${day}`, plan.timepoints.map((timepoint) => timepoint.code)), offset_days: day, window_before: 2, window_after: 3,
    channel: 'phone', part: plan.form.parts[0]?.code ?? 'full', owner: 'center', if_unknown: 'skip', note: { zh: '', en: '' },
  }
}

/** A new question without words. */
export function newQuestion(plan: Plan): Question {
  return {
    id: freeCode('question', plan.form.questions.map((question) => question.id)), type: 'bool', text: { zh: '', en: '' }, required: false,
    options: [], sensitive: false,
  }
}

/** A new alert that never fires until it has a condition. */
export function newAlert(plan: Plan): AlertRule {
  return {
    code: freeCode('alert', plan.form.alerts.map((alert) => alert.code)), when: '', level: 'yellow', say: { zh: '', en: '' }, route: 'department',
    sla: { unit: 'working_days', amount: 2 },
  }
}

/** Takes the leftovers of another kind of question away, so that the core does not refuse them. */
export function fitToKind(question: Question): void {
  const options = question.type === 'single' || question.type === 'multi'
  if (!options) question.options = []
  else if (question.options.length === 0) question.options = [{ code: 'a', label: { zh: '', en: '' }, exclusive: false, ends: false }]
  if (question.type !== 'multi') question.options.forEach((option) => { option.exclusive = false })
  // Only the one chosen option of a single choice has points.
  if (question.type !== 'single') question.options.forEach((option) => { option.points = null })
  if (!['number', 'bp', 'scale'].includes(question.type)) {
    question.min = null
    question.max = null
  }
  if (question.type !== 'number') {
    question.decimals = null
    question.step = null
  }
  if (question.type === 'scale') {
    question.min ??= 0
    question.max ??= 10
  } else {
    question.labels = []
  }
}
