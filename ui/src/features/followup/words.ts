import { useI18n } from 'vue-i18n'
import { hasText, type Locale } from '@/app/i18n'
import type { LocalText } from '@/bindings/LocalText'
import { writeDate, type DateStyle, type DateValue } from '@/shared/display/dates'

/** A content text in one language; Chinese where a hospital left English empty. */
export function inLocale(text: LocalText, locale: Locale): string {
  return locale === 'en' && text.en.trim() !== '' ? text.en : text.zh
}

/** Words of content and of codes, for components. */
export function useWords() {
  const { t, locale } = useI18n()
  const say = (text: LocalText | null | undefined) => (text ? inLocale(text, locale.value as Locale) : '')
  /** The word of a code under `followup.<group>.<code>`; the code itself when a newer version wrote it. */
  const word = (group: string, code: string) => (hasText(`followup.${group}.${code}`) ? t(`followup.${group}.${code}`) : code)
  const date = (value: DateValue | null | undefined, style: DateStyle = 'date') => (value == null ? '' : writeDate(value, locale.value as Locale, style))
  /** `F 63`, with what is known. */
  const person = (sex: string, age: number | null) =>
    [sex === '1' || sex === '2' ? t(`followup.sex.${sex}`) : '', age === null ? '' : t('followup.age', { age })].filter(Boolean).join(' ')
  return { t, say, word, date, person, locale }
}
