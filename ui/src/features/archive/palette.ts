import { UserRound } from '@lucide/vue'
import { t } from '@/app/i18n'
import { backend } from '@/backend'
import type { PaletteItem } from '@/shared/palette/palette'
import { identity } from './words'

/** Patients for Ctrl+K: the core finds them by any piece of name or number. */
export async function findPatients(query: string): Promise<PaletteItem[]> {
  if (query.trim() === '') return []
  const { hits } = await backend.call('archive_find', { query, limit: 8 })
  return hits.map((hit) => ({
    id: hit.patient_id,
    title: hit.name,
    detail: [identity(t, hit), hit.mrn, hit.phone, hit.department].filter(Boolean).join(' · '),
    icon: UserRound,
    // The router knows every feature, so a feature may ask for it only once it runs.
    run: () => void import('@/app/router').then(({ router }) => router.push({ name: 'archive.patient', params: { id: hit.patient_id } })),
  }))
}
