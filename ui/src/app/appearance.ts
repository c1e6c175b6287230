import { reactive, watch } from 'vue'
import { backend } from '@/backend'
import { LOCALES, setLocale, type Locale } from './i18n'

export type Theme = 'auto' | 'light' | 'dark'
export const THEMES: readonly Theme[] = ['auto', 'light', 'dark']
/** Per cent of the normal size. */
export const SCALES = [100, 110, 125, 150] as const
export type Scale = (typeof SCALES)[number]

export interface Appearance {
  locale: Locale
  theme: Theme
  scale: Scale
  navCollapsed: boolean
}

// Belongs to the PC, is needed before anybody has logged in, and says nothing of patients: so it is no setting of the
// encrypted database.
const STORAGE_KEY = 'aftercare.appearance'

function oneOf<T>(allowed: readonly T[], value: unknown, otherwise: T): T {
  return allowed.includes(value as T) ? (value as T) : otherwise
}

/** Reads what was stored; anything unknown becomes the default. */
export function readAppearance(stored: string | null): Appearance {
  let value: Partial<Appearance> = {}
  try {
    value = (JSON.parse(stored ?? '{}') ?? {}) as Partial<Appearance>
  } catch {
    value = {}
  }
  return {
    locale: oneOf(LOCALES, value.locale, 'zh-CN'),
    theme: oneOf(THEMES, value.theme, 'auto'),
    scale: oneOf(SCALES, value.scale, 100),
    navCollapsed: value.navCollapsed === true,
  }
}

export const appearance = reactive<Appearance>(readAppearance(localStorage.getItem(STORAGE_KEY)))

const darkSystem = window.matchMedia('(prefers-color-scheme: dark)')

/** The theme that is shown: `auto` follows the system. */
export function shownTheme(): 'light' | 'dark' {
  if (appearance.theme !== 'auto') return appearance.theme
  return darkSystem.matches ? 'dark' : 'light'
}

function applyTheme() {
  document.documentElement.dataset.theme = shownTheme()
  // Element Plus switches its own dark details by this class.
  document.documentElement.classList.toggle('dark', shownTheme() === 'dark')
}

/** Applies the stored choices and keeps page and storage in step from now on. Ends when there are words to show. */
export function startAppearance(): Promise<void> {
  const words = setLocale(appearance.locale)
  watch(() => appearance.locale, (locale) => void setLocale(locale))
  watch(() => appearance.theme, applyTheme, { immediate: true })
  if (appearance.scale !== 100) void backend.setZoom(appearance.scale / 100)
  watch(() => appearance.scale, (scale) => void backend.setZoom(scale / 100))
  watch(appearance, (value) => localStorage.setItem(STORAGE_KEY, JSON.stringify(value)), { deep: true })
  darkSystem.addEventListener('change', applyTheme)
  return words
}
