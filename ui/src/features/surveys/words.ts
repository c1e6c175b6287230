import { useI18n } from 'vue-i18n'
import type { Locale } from '@/app/i18n'
import type { LocalText } from '@/bindings/LocalText'
import { writeDate, type DateStyle, type DateValue } from '@/shared/display/dates'

/** A content text in one language; Chinese where a hospital left English empty. */
export function inLocale(text: LocalText, locale: Locale): string {
  return locale === 'en' && text.en.trim() !== '' ? text.en : text.zh
}

/** Words of content, dates and figures, for components. */
export function useWords() {
  const { t, n, locale } = useI18n()
  const say = (text: LocalText | null | undefined) => (text ? inLocale(text, locale.value as Locale) : '')
  const date = (value: DateValue | null | undefined, style: DateStyle = 'date') => (value == null ? '' : writeDate(value, locale.value as Locale, style))
  /** A figure with one decimal place; a dash without a denominator. */
  const figure = (value: number | null | undefined) => (value == null ? '—' : value.toFixed(1))
  return { t, n, say, date, figure, locale }
}
