import type { SyncClinicSite } from '@/bindings/SyncClinicSite'

type Write = (key: string, params?: Record<string, unknown>) => string

/** How complete a site's figures are, in one sentence; `when` writes an instant. */
export function completeness(site: SyncClinicSite, t: Write, when: (at: number) => string): string {
  const parts = [site.as_of === null ? t('sync.clinics.never', { site: site.name }) : t('sync.clinics.as_of', { site: site.name, time: when(site.as_of) })]
  if (site.silent > 0) parts.push(t('sync.clinics.silent', { count: site.silent }))
  if (site.unsent > 0) parts.push(t('sync.clinics.unsent', { count: site.unsent }))
  return parts.join(t('sync.comma'))
}

/** A site whose figures lack nothing that is known: every desk was heard within the hour and keeps nothing back. */
export function isComplete(site: SyncClinicSite, now: number): boolean {
  return site.silent === 0 && site.unsent === 0 && site.as_of !== null && now - site.as_of < 3_600_000
}
