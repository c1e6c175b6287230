import { ChartColumn, ClipboardPen, ListChecks } from '@lucide/vue'
import { t } from '@/app/i18n'
import { may } from '@/app/session'
import type { PaletteItem } from '@/shared/palette/palette'

// The router knows every feature, so a feature may ask for it only once it runs.
const go = (name: string) => void import('@/app/router').then(({ router }) => router.push({ name }))

/** The pages of satisfaction for Ctrl+K, by their words. */
export function findSurveys(query: string): Promise<PaletteItem[]> {
  const wanted = query.trim().toLowerCase()
  if (wanted === '' || !t('surveys.palette.words').split(' ').some((word) => word.startsWith(wanted))) return Promise.resolve([])
  const items: PaletteItem[] = [
    { id: 'results', title: `${t('surveys.title')} · ${t('surveys.tabs.results')}`, icon: ChartColumn, run: () => go('surveys') },
    { id: 'rounds', title: t('surveys.rounds.title'), icon: ListChecks, run: () => go('surveys.rounds') },
  ]
  if (may('survey_work')) items.push({ id: 'paper', title: t('surveys.paper.title'), icon: ClipboardPen, run: () => go('surveys.paper') })
  return Promise.resolve(items)
}
