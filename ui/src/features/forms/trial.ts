import { computed, inject, provide, ref, shallowRef, watch, type ComputedRef, type InjectionKey, type Ref } from 'vue'
import { backend } from '@/backend'
import type { AnswerValue } from '@/bindings/AnswerValue'
import type { Evaluation } from '@/bindings/Evaluation'
import type { Plan } from '@/bindings/Plan'
import type { PlanProblem } from '@/bindings/PlanProblem'
import type { FormsTryRequest } from '@/bindings/FormsTryRequest'
import type { DocumentKind } from './document'
import { problemText } from './words'

/** How long typing rests before the plan is checked. */
const DELAY_MS = 250

/** A draft's mistakes, and what follows from sample answers. */
export interface Trial {
  timepoint: Ref<string>
  age: Ref<number | null>
  answers: Ref<Record<string, AnswerValue>>
  evaluation: Readonly<Ref<Evaluation | null>>
  problems: Readonly<Ref<PlanProblem[]>>
  failure: Readonly<Ref<unknown>>
  kind: Readonly<Ref<DocumentKind>>
  /** The plan with the sample answers, as the core takes it. */
  draft(plan: Plan): FormsTryRequest
  /** False until the first answer of the core. */
  checked: ComputedRef<boolean>
}

/** Has the core check the plan and evaluate the sample answers at each change. */
export function useTrial(plan: Ref<Plan | null | undefined>, kind: Readonly<Ref<DocumentKind>>): Trial {
  const timepoint = ref('')
  const age = ref<number | null>(null)
  const answers = ref<Record<string, AnswerValue>>({})
  const evaluation = shallowRef<Evaluation | null>(null)
  const problems = shallowRef<PlanProblem[]>([])
  const failure = shallowRef<unknown>(null)
  const asked = ref(0)
  const answered = ref(0)
  let timer: ReturnType<typeof setTimeout> | undefined

  /** The plan with the sample answers, sharing nothing with the page. */
  function draft(of: Plan): FormsTryRequest {
    const given = { plan: of, answers: answers.value, questionnaire: kind.value === 'questionnaire', timepoint: timepoint.value || null, age: age.value }
    return JSON.parse(JSON.stringify(given)) as FormsTryRequest
  }

  async function run() {
    if (!plan.value) return
    const mine = ++asked.value
    try {
      const result = await backend.call('forms_try', draft(plan.value))
      if (mine !== asked.value) return
      problems.value = result.problems
      if (result.evaluation) evaluation.value = result.evaluation
      failure.value = null
    } catch (error) {
      if (mine === asked.value) failure.value = error
    }
    answered.value = mine
  }

  watch([plan, timepoint, age, answers], () => {
    clearTimeout(timer)
    timer = setTimeout(() => void run(), DELAY_MS)
  }, { deep: true, immediate: true })
  return { timepoint, age, answers, evaluation, problems, failure, draft, kind, checked: computed(() => answered.value > 0) }
}

const PROBLEMS: InjectionKey<Readonly<Ref<PlanProblem[]>>> = Symbol('problems')

/** Gives the inputs below their mistakes. */
export function provideProblems(problems: Readonly<Ref<PlanProblem[]>>): void {
  provide(PROBLEMS, problems)
}

/** The words for the first mistake at any path; empty when it is fine. */
export function useFaultAt(): (path: string) => string {
  const problems = inject(PROBLEMS, shallowRef([]))
  return (path) => {
    const found = problems.value.find((problem) => problem.path === path)
    return found ? problemText(found) : ''
  }
}

/** The words for the first mistake at a path; empty when it is fine. */
export function useFault(path: () => string): ComputedRef<string> {
  const faultAt = useFaultAt()
  return computed(() => faultAt(path()))
}

/** How many mistakes lie under a path. */
export function useFaultCount(): (...paths: string[]) => number {
  const problems = inject(PROBLEMS, shallowRef([]))
  return (...paths) => problems.value.filter(({ path }) => paths.some((start) => path === start || path.startsWith(`${start}.`))).length
}
