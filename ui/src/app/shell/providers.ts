import type { Router } from 'vue-router'
import { Languages, Lock, LogOut, SunMoon } from '@lucide/vue'
import { appearance, shownTheme } from '@/app/appearance'
import { menu } from '@/app/feature'
import { t } from '@/app/i18n'
import { logOut, may } from '@/app/session'
import type { PaletteItem, PaletteProvider } from '@/shared/palette/palette'

/** What Ctrl+K always finds: pages of the menu, and acts of the shell. */
export function shellProviders({ router, lock }: { router: Router; lock: () => void }): PaletteProvider[] {
  const matching = (query: string, items: PaletteItem[]) =>
    items.filter((item) => item.title.toLowerCase().includes(query.toLowerCase()))
  const acts = (): PaletteItem[] => [
    { id: 'lock', title: t('app.key.lock'), icon: Lock, keys: 'Ctrl+L', run: lock },
    { id: 'theme', title: t(shownTheme() === 'dark' ? 'app.act.light' : 'app.act.dark'), icon: SunMoon, run: () => (appearance.theme = shownTheme() === 'dark' ? 'light' : 'dark') },
    { id: 'locale', title: t('app.act.language'), icon: Languages, run: () => (appearance.locale = appearance.locale === 'en' ? 'zh-CN' : 'en') },
    { id: 'logout', title: t('app.act.logout'), icon: LogOut, run: () => void logOut() },
  ]
  return [
    {
      id: 'pages', title: 'app.palette.pages', order: 50,
      search: (query) =>
        matching(query, menu.filter((entry) => may(entry.permission)).map((entry, index) => ({
          id: entry.route, title: t(entry.label), icon: entry.icon, keys: index < 9 ? `Alt+${index + 1}` : undefined,
          run: () => void router.push({ name: entry.route }),
        }))),
    },
    { id: 'acts', title: 'app.palette.acts', order: 60, search: (query) => matching(query, acts()) },
  ]
}
