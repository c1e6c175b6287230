import type { Form } from '@/bindings/Form'
import type { FormsVersion } from '@/bindings/FormsVersion'
import type { LocalText } from '@/bindings/LocalText'
import type { NamedCode } from '@/bindings/NamedCode'
import type { Plan } from '@/bindings/Plan'
import type { VariableRule } from '@/bindings/VariableRule'
import { copy } from './planDraft'

/** What is shown and edited by the same pages. */
export type DocumentKind = 'plan' | 'questionnaire'

/** A plan or questionnaire in one version. A questionnaire is a plan whose form alone counts. */
export interface Shown {
  plan: Plan
  shown: FormsVersion
  versions: FormsVersion[]
  routes: NamedCode[]
  owners: NamedCode[]
  variables: VariableRule[]
}

const nothing = (): LocalText => ({ zh: '', en: '' })

/** A questionnaire in the shape of a plan: nobody is enrolled in it and nothing is said. */
export function asPlan(form: Form): Plan {
  return {
    code: form.code, version: form.version, name: copy(form.title), review: 'draft', basis: nothing(), sensitive: false, icd10: [], departments: [],
    anchor: 'discharge', on_readmission: 'restart', exclude: [], timepoints: [], education: [], form: copy(form),
    script: {
      identity_check: [], opening: nothing(), sections: [], tone: nothing(), busy: nothing(), refuse: nothing(), complaint: nothing(),
      emergency: nothing(), not_medical: nothing(), closing: nothing(),
    },
  }
}

/** The questionnaire that such a plan stands for. */
export function asForm(plan: Plan): Form {
  return { ...copy(plan.form), code: plan.code, title: copy(plan.name) }
}

/** A form without questions. */
function emptyForm(): Form {
  return { code: '', version: 0, title: nothing(), sections: [], questions: [], parts: [], calculations: [], classes: [], alerts: [] }
}

/** A document from nothing. A plan keeps the words and sets of `like`, which every call needs, and none of its questions. */
export function fromNothing(kind: DocumentKind, like: Plan | null): Plan {
  if (kind === 'questionnaire' || !like) return asPlan(emptyForm())
  const plan = fromCopy(like)
  plan.timepoints = plan.timepoints.slice(0, 1).map((timepoint) => ({ ...timepoint, part: 'full', only_if: null }))
  // The one part holds every question; it is called as the whole is called in `like`.
  const whole = plan.form.parts.find((part) => part.code === 'full') ?? plan.form.parts[0]
  plan.form = { ...emptyForm(), parts: [{ code: 'full', title: whole?.title ?? nothing(), questions: [] }] }
  plan.exclude = []
  plan.education = []
  return plan
}

/** A document of its own that begins as a copy. */
export function fromCopy(like: Plan): Plan {
  const plan = copy(like)
  plan.code = ''
  plan.name = nothing()
  plan.review = 'draft'
  plan.icd10 = []
  plan.departments = []
  return plan
}
