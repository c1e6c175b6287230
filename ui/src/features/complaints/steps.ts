import type { ComplaintStep } from '@/bindings/ComplaintStep'
import { useWords } from './words'

/** What a step's form held and what a correction changed, in words. */
export function useStepWords() {
  const { t, content, named, say, category, date } = useWords()

  const reasons = () => [...(content.value?.not_accepted ?? []), ...(content.value?.passed_on ?? []), ...(content.value?.pauses ?? [])]
  const flag = (value: unknown) => t(value === 1 || value === true ? 'complaints.yes' : 'complaints.no')

  /** A list that is stored as JSON: departments, people, codes. */
  function listed(value: unknown): string {
    try {
      const list = JSON.parse(String(value)) as (string | { name: string; department?: string })[]
      return list.map((one) => (typeof one === 'string' ? one : [one.name, one.department].filter(Boolean).join(' '))).join(t('complaints.comma'))
    } catch {
      return String(value)
    }
  }

  /** A field's value as people read it. */
  function shown(field: string, value: unknown): string {
    if (value === null || value === '' || value === undefined) return t('complaints.empty')
    const text = String(value)
    switch (field) {
      case 'departments': case 'accused': case 'risks': return listed(value) || t('complaints.empty')
      case 'category': return say(category(text)?.name) || text
      case 'channel': return named(content.value?.channels, text)
      case 'severity': return `${text} ${say(content.value?.severities.find((one) => one.code === text)?.name)}`
      case 'kind': return t(`complaints.kind.${text}`)
      case 'patient_sex': return t(`archive.sex.${text}`)
      case 'complainant_relation': return t(`complaints.relation.${text}`)
      case 'anonymous': case 'harm': case 'confidential': return flag(value)
      case 'respond_by': return date(Number(value), 'minute')
      case 'due_on': case 'visited_on': case 'until': return date(text)
      case 'verdict': return named(content.value?.verdicts, text)
      case 'attitude': return named(content.value?.attitudes, text)
      case 'reply_way': return named(content.value?.reply_ways, text)
      case 'reason': return named(reasons(), text)
      case 'resolutions': return (Array.isArray(value) ? value : []).map((code) => named(content.value?.resolutions, String(code))).join(t('complaints.comma'))
      case 'deadline_rule': return say(content.value?.deadlines.find((one) => one.code === text)?.name) || text
      default: return text
    }
  }

  const FACTS = ['due_on', 'investigator', 'reason', 'verdict', 'resolutions', 'finding', 'measures', 'reply', 'reply_way', 'attitude', 'until'] as const

  /** What the move's form held, in the order of the form. */
  function facts(step: ComplaintStep): { label: string; value: string }[] {
    const held = FACTS.filter((name) => {
      const value = step.form[name]
      return value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0)
    })
    return held.map((name) => ({ label: t(`complaints.field.${name}`), value: shown(name, step.form[name]) }))
  }

  return { shown, facts }
}
