import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { useDraft } from '@/app/drafts'
import { backend, BackendError, type RequestOf, type ResponseOf } from '@/backend'
import type { AnswerValue } from '@/bindings/AnswerValue'
import type { FollowupDialled } from '@/bindings/FollowupDialled'
import type { FollowupPatient } from '@/bindings/FollowupPatient'
import type { FormState } from '@/bindings/FormState'
import type { GuardVerdict } from '@/bindings/GuardVerdict'
import type { WorklistFilter } from '@/bindings/WorklistFilter'

/** A number that was dialled; nothing is saved of it yet. */
export interface Dial {
  token: string
  phone_id: string
  at: number
}

/** What is being typed in a call. The core reads `answers` when the patient is opened again. */
export interface CallBody {
  call_id: string
  answers: Record<string, AnswerValue>
  remark: string
  dial: Dial | null
  /** Somebody is on the line since. */
  spoken_at: number | null
}

/** How a call ended without a response. */
export interface Ending {
  reason: string
  appointment_at: number | null
  deceased_on: string | null
}

/** `ready` before dialling, `ringing` until somebody answers, `talking` from then on. */
export type Phase = 'ready' | 'ringing' | 'talking'

export type Saved = ResponseOf<'followup_save_call'>

/** Pause of typing before the answers are evaluated. Choosing an option does not wait. */
const PAUSE_MS = 120

export const freshCall = (): CallBody => ({ call_id: crypto.randomUUID(), answers: {}, remark: '', dial: null, spoken_at: null })

/** Where a call stands. */
export function phaseOf(body: CallBody): Phase {
  if (body.spoken_at !== null) return 'talking'
  return body.dial ? 'ringing' : 'ready'
}

/** Answers that the core is asked about: those of the visible questions follow in its own answer. */
function evaluation(opened: FollowupPatient, answers: () => CallBody['answers']) {
  const state = shallowRef<FormState>(opened.state)
  const failure = shallowRef<unknown>(null)
  const tasks = opened.tasks.map((task) => task.id)
  let timer: ReturnType<typeof setTimeout> | undefined
  let asked = 0

  async function now(): Promise<FormState> {
    clearTimeout(timer)
    if (opened.form.questions.length === 0) return state.value
    const mine = ++asked
    try {
      const answer = await backend.call('followup_evaluate', { tasks, answers: answers() })
      if (mine === asked) {
        state.value = answer
        failure.value = null
      }
    } catch (reason) {
      failure.value = reason
    }
    return state.value
  }

  function soon() {
    clearTimeout(timer)
    timer = setTimeout(() => void now(), PAUSE_MS)
  }

  onScopeDispose(() => clearTimeout(timer))
  return { state, failure, now, soon }
}

interface Fault {
  code: string
  params: Record<string, string>
}

/** What is wrong, by question. What is missing is said only once somebody tried to save. */
function faultsOf(state: FormState, missingToo: boolean, error: unknown): Record<string, Fault> {
  const found: Record<string, Fault> = {}
  if (missingToo) for (const key of state.missing) found[key] = { code: 'missing', params: {} }
  for (const fault of state.invalid) found[fault.question] = { code: fault.code, params: Object.fromEntries(fault.params) }
  if (!(error instanceof BackendError)) return found
  for (const { field, code } of error.fields) {
    const key = field.startsWith('answers.') ? field.slice('answers.'.length) : ''
    if (key && !found[key]) found[key] = { code: code === 'required' ? 'missing' : 'unfit', params: {} }
  }
  return found
}

/** The request that saves a call. */
function asRequest(opened: FollowupPatient, body: CallBody, phone: string | null, ending: Ending | null, filter: WorklistFilter): RequestOf<'followup_save_call'> {
  return {
    call_id: body.call_id, call_token: body.dial?.token ?? null, patient_id: opened.patient.id, tasks: opened.tasks.map((task) => task.id),
    phone_id: body.dial?.phone_id ?? phone, reason: ending?.reason ?? null, answers: body.answers,
    appointment_at: ending?.appointment_at ?? null, remark: body.remark, deceased_on: ending?.deceased_on ?? null,
    started_at: body.dial?.at ?? body.spoken_at, ended_at: Date.now(), filter,
  }
}

/** Runs one act at a time and keeps its failure; null when it failed or another one runs. */
function oneAtATime() {
  const busy = ref(false)
  const error = shallowRef<unknown>(null)
  async function guarded<T>(work: () => Promise<T>): Promise<T | null> {
    if (busy.value) return null
    busy.value = true
    error.value = null
    try {
      return await work()
    } catch (reason) {
      error.value = reason
      return null
    } finally {
      busy.value = false
    }
  }
  return { guarded, busy, error }
}

/**
 * One call with one patient. The form is what it was when the patient was opened: later news change the panes around
 * it, never the form. What is typed goes to the encrypted draft at once. A survey's call has a draft of its own.
 */
export function useCall(opened: FollowupPatient, draftKey = `followup:${opened.patient.id}`) {
  const patientId = opened.patient.id
  const draft = useDraft<CallBody>(draftKey, freshCall)
  const { state, failure, now: evaluateNow, soon } = evaluation(opened, () => draft.body.value.answers)
  const phone = ref(opened.unsaved_dial?.phone_id ?? opened.phones.find((line) => line.usable)?.id ?? opened.phones[0]?.id ?? null)
  const verdict = shallowRef<GuardVerdict | null>(null)
  const { guarded, busy, error } = oneAtATime()
  const faultsShown = ref(false)
  /** The question whose answer raised an alert: the words to say stand under it. */
  const raisedBy = ref<Record<string, string>>({})
  let lastKey = ''

  // A crash between dialling and saving: the dial goes on.
  watch(draft.state, (now) => {
    if (now === 'loading') return
    const left = opened.unsaved_dial
    if (left && !draft.body.value.dial) draft.body.value.dial = { token: left.call_token, phone_id: left.phone_id, at: left.dialled_at }
    if (draft.body.value.dial) phone.value = draft.body.value.dial.phone_id
    if (draft.restored.value) void evaluateNow()
  })

  watch(state, (next, before) => {
    const known = new Set(before.alerts.map((alert) => alert.rule))
    for (const alert of next.alerts) if (!known.has(alert.rule)) raisedBy.value[alert.rule] = lastKey
  })

  const phase = computed(() => phaseOf(draft.body.value))

  function speak() {
    if (draft.body.value.spoken_at === null) draft.body.value.spoken_at = Date.now()
    verdict.value = null
  }

  function answer(key: string, value: AnswerValue | null, typing = false) {
    speak()
    lastKey = key
    if (value === null) delete draft.body.value.answers[key]
    else draft.body.value.answers[key] = value
    if (typing) soon()
    else return evaluateNow()
  }

  async function place(phone_id: string, override_reason: string | null): Promise<FollowupDialled> {
    const dialled = await backend.call('followup_dial', { patient_id: patientId, phone_id, override_reason })
    verdict.value = null
    draft.body.value.dial = { token: dialled.call_token, phone_id, at: dialled.dialled_at }
    draft.body.value.spoken_at = null
    return dialled
  }

  /** Asks the guard, then dials; with warnings it stops and waits for a reason. */
  const dial = (reason: string | null = null) =>
    guarded(async () => {
      const phone_id = phone.value
      if (phone_id === null) return
      if (reason === null) {
        const found = await backend.call('followup_guard', { patient_id: patientId, phone_id })
        verdict.value = found
        if (found.blocks.length > 0 || found.warnings.length > 0) return
      }
      const dialled = await place(phone_id, reason)
      await backend.openDial(dialled.url)
    })

  /** Saves what came of the call. Null when it was refused: `error` says why. */
  const save = (ending: Ending | null, filter: WorklistFilter) =>
    guarded(async (): Promise<Saved | null> => {
      faultsShown.value = true
      if (ending === null && !(await evaluateNow()).complete) return null
      await draft.flush()
      const saved = await backend.call('followup_save_call', asRequest(opened, draft.body.value, phone.value, ending, filter))
      await afterSaving(ending)
      return saved
    })

  /** After a failed call the answers so far stay for the next one; everything else begins anew. */
  async function afterSaving(ending: Ending | null) {
    const { answers } = draft.body.value
    faultsShown.value = false
    if (ending === null || Object.keys(answers).length === 0) await draft.clear()
    else {
      draft.body.value = { ...freshCall(), answers }
      await draft.flush()
    }
  }

  function choosePhone(id: string) {
    phone.value = id
    verdict.value = null
  }

  const dismiss = () => void (verdict.value = null)
  const faults = computed(() => faultsOf(state.value, faultsShown.value, error.value))

  return { opened, patientId, draft, state, failure, phone, verdict, error, faults, faultsShown, busy, raisedBy, phase, speak, answer, dial, save, choosePhone, dismiss, evaluateNow, guarded }
}

export type Call = ReturnType<typeof useCall>
