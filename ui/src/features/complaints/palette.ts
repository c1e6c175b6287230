import { MessageSquarePlus, MessageSquareWarning } from '@lucide/vue'
import { t } from '@/app/i18n'
import { may } from '@/app/session'
import { backend } from '@/backend'
import type { PaletteItem } from '@/shared/palette/palette'

// The router knows every feature, so a feature may ask for it only once it runs.
const go = (name: string, params: Record<string, string> = {}) => void import('@/app/router').then(({ router }) => router.push({ name, params }))

/** Complaints for Ctrl+K: by number or patient, and registering one by its word. */
export async function findComplaints(query: string): Promise<PaletteItem[]> {
  const wanted = query.trim().toLowerCase()
  if (wanted === '') return []
  const found: PaletteItem[] = []
  const title = t('complaints.register.title')
  if (may('complaint_work') && t('complaints.palette.words').split(' ').some((word) => word.startsWith(wanted))) {
    found.push({ id: 'new', title, icon: MessageSquarePlus, run: () => go('complaints.new') })
  }
  const { rows } = await backend.call('complaints_list', { view: 'all', status: null, kind: null, department: null, category: null, patient_id: null, find: query, cursor: null, limit: 5 })
  return found.concat(rows.map((row) => ({
    id: row.id,
    title: `${row.number} ${row.patient_name || row.complainant}`,
    detail: [t(`complaints.status.${row.status}`), row.departments[0], row.due_on].filter(Boolean).join(' · '),
    icon: MessageSquareWarning,
    run: () => go('complaints.one', { id: row.id }),
  })))
}
