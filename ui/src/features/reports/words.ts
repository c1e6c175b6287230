import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import type { Locale } from '@/app/i18n'
import type { ReportsFilter } from '@/bindings/ReportsFilter'
import { writeDate } from '@/shared/display/dates'
import { passedOver } from './behind'
import { useComplaintContent, useDepartments, type Asked, type Scope } from './queries'

/** Words of what figures are narrowed by and told apart by. */
export function useReportWords() {
  const { t, locale } = useI18n()
  const choices = useDepartments()
  const content = useComplaintContent()
  const english = computed(() => locale.value === 'en')
  const pick = (text: { zh: string; en: string }) => (english.value && text.en.trim() !== '' ? text.en : text.zh)

  const plan = (code: string) => {
    const found = choices.data.value?.plans.find((one) => one.code === code)
    return found ? pick(found) : code
  }
  const nurse = (id: string) => choices.data.value?.nurses.find((one) => one.id === id)?.name ?? t('reports.unknown_nurse')
  /** A complaint's category; its code for who does not see complaints. */
  const category = (code: string) => {
    const found = content.data.value?.content.categories.find((one) => one.code === code)
    return found ? pick(found.name) : code
  }
  const day = (on: string) => writeDate(on, locale.value as Locale)
  /** That a figure is not narrowed by filters that are set; empty where it is by all of them. */
  const without = (filters: ReportsFilter[], scope: Scope) => {
    const names = passedOver(filters, scope).map((filter) => t(`reports.filter.${filter}`))
    return names.length > 0 ? t('reports.without', { filters: names.join(t('reports.and')) }) : ''
  }
  /** What rows were narrowed to beside the page's filters. */
  const narrowed = (asked: Asked, page: Scope) => {
    const words: string[] = []
    if (asked.scope.from !== page.from || asked.scope.to !== page.to) {
      words.push(asked.scope.from === asked.scope.to ? day(asked.scope.from) : t('reports.row.days', { from: day(asked.scope.from), to: day(asked.scope.to) }))
    }
    if (asked.scope.nurse && asked.scope.nurse !== page.nurse) words.push(nurse(asked.scope.nurse))
    if (asked.scope.department && asked.scope.department !== page.department) words.push(asked.scope.department)
    if (asked.cell) words.push(t('reports.row.cell', { weekday: t(`reports.weekday.${asked.cell.weekday as 1}`), hour: asked.cell.hour }))
    if (asked.slice) words.push(slice(asked))
    return words.join(' · ')
  }
  const slice = (asked: Asked) => {
    if (asked.code === 'complaint_category') return category(asked.slice ?? '')
    return t(asked.code === 'complaint_ageing' ? `reports.age.${asked.slice as 'to_5'}` : `reports.state.${asked.slice as 'late'}`)
  }
  return { t, locale, choices, plan, pick, nurse, category, without, narrowed }
}
