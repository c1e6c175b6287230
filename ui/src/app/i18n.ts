import { createI18n } from 'vue-i18n'

/** Languages the product speaks, the first one first. */
export const LOCALES = ['zh-CN', 'en'] as const
export type Locale = (typeof LOCALES)[number]

type Messages = Record<string, string>

// Each language is a file of its own: a desk reads the one it shows.
const words: Record<Locale, () => Promise<{ default: Messages }>> = {
  'zh-CN': () => import('./words/zh-CN'),
  en: () => import('./words/en'),
}

export const i18n = createI18n({
  legacy: false,
  locale: 'zh-CN' as Locale,
  fallbackLocale: 'zh-CN',
  messages: {} as Record<Locale, Messages>,
  messageResolver: (messages, path) => (messages as Messages)[path] ?? null,
  missingWarn: import.meta.env.DEV,
  fallbackWarn: false,
})

/** Words outside components. */
export const t = i18n.global.t as (key: string, params?: Record<string, unknown>) => string

/** True when there are words for a key. */
export function hasText(key: string): boolean {
  return i18n.global.te(key, i18n.global.locale.value)
}

/** Reads a language's words, once. */
export async function loadLocale(locale: Locale): Promise<void> {
  if (!i18n.global.availableLocales.includes(locale)) i18n.global.setLocaleMessage(locale, (await words[locale]()).default)
}

let wanted: Locale = 'zh-CN'

/** Switches every word, and tells the browser which shapes of the characters to use. Waits for the words first. */
export async function setLocale(locale: Locale): Promise<void> {
  wanted = locale
  await loadLocale(locale)
  // Somebody may have switched on meanwhile.
  if (wanted !== locale) return
  i18n.global.locale.value = locale
  document.documentElement.lang = locale
}
