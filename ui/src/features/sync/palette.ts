import { RefreshCw } from '@lucide/vue'
import { t } from '@/app/i18n'
import type { PaletteItem } from '@/shared/palette/palette'

/** The sync page for Ctrl+K: it stands among the settings, not in the menu. */
export function findSync(query: string): PaletteItem[] {
  const page: PaletteItem = {
    id: 'sync-page',
    title: t('sync.palette'),
    icon: RefreshCw,
    // The router knows every feature, so a feature may ask for it only once it runs.
    run: () => void import('@/app/router').then(({ router }) => router.push({ name: 'settings.sync' })),
  }
  return page.title.toLowerCase().includes(query.trim().toLowerCase()) ? [page] : []
}
