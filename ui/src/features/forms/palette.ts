import { ClipboardList } from '@lucide/vue'
import { queryClient } from '@/app/query'
import { backend } from '@/backend'
import type { PaletteItem } from '@/shared/palette/palette'
import { say } from './words'

/** Plans by name, code or diagnosis: eleven and a few more, so they are all at hand. */
export async function findPlans(query: string): Promise<PaletteItem[]> {
  const wanted = query.trim().toLowerCase()
  if (wanted === '') return []
  const { plans } = await queryClient.ensureQueryData({ queryKey: ['forms', 'plans'], queryFn: () => backend.call('forms_plans', {}) })
  const words = (plan: (typeof plans)[number]) => [plan.name.zh, plan.name.en, plan.version.code, ...plan.icd10].join(' ').toLowerCase()
  return plans.filter((plan) => words(plan).includes(wanted)).slice(0, 5).map((plan) => ({
    id: plan.version.code, title: say(plan.name), detail: plan.version.code, icon: ClipboardList,
    // The router knows every feature, so a feature may ask for it only once it runs.
    run: () => void import('@/app/router').then(({ router }) => router.push({ name: 'forms.plan', params: { code: plan.version.code } })),
  }))
}
