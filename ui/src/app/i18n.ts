import { createI18n } from 'vue-i18n'

/** Languages the product speaks, the first one first. */
export const LOCALES = ['zh-CN', 'en'] as const
export type Locale = (typeof LOCALES)[number]

type Tree = { [key: string]: string | Tree }

const files = import.meta.glob<Tree>(
  // Words of the window's shell, of the command line and of the server are for those programs.
  ['../../../assets/locales/*/*.json', '!**/shell.json', '!**/cli.json', '!**/server*.json'],
  { eager: true, import: 'default' },
)

/** `{"login": {"title": "…"}}` of session.json becomes `session.login.title`, so look-ups are one step. */
export function flatten(prefix: string, tree: Tree, into: Record<string, string> = {}): Record<string, string> {
  for (const [key, value] of Object.entries(tree)) {
    const path = `${prefix}.${key}`
    if (typeof value === 'string') into[path] = value
    else flatten(path, value, into)
  }
  return into
}

function messagesOf(locale: Locale): Record<string, string> {
  const messages: Record<string, string> = {}
  for (const [path, tree] of Object.entries(files)) {
    const [, folder, name] = /\/([^/]+)\/([^/]+)\.json$/.exec(path) ?? []
    if (folder === locale && name) flatten(name, tree, messages)
  }
  return messages
}

export const i18n = createI18n({
  legacy: false,
  locale: 'zh-CN' as Locale,
  fallbackLocale: 'zh-CN',
  messages: { 'zh-CN': messagesOf('zh-CN'), en: messagesOf('en') } as Record<Locale, Record<string, string>>,
  messageResolver: (messages, path) => (messages as Record<string, string>)[path] ?? null,
  missingWarn: import.meta.env.DEV,
  fallbackWarn: false,
})

/** Words outside components. */
export const t = i18n.global.t as (key: string, params?: Record<string, unknown>) => string

/** True when there are words for a key. */
export function hasText(key: string): boolean {
  return i18n.global.te(key, 'zh-CN')
}

/** Switches every word, and tells the browser which shapes of the characters to use. */
export function setLocale(locale: Locale): void {
  i18n.global.locale.value = locale
  document.documentElement.lang = locale
}
