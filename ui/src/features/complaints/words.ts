import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { hasText, type Locale } from '@/app/i18n'
import type { LocalText } from '@/bindings/LocalText'
import type { NamedCode } from '@/bindings/NamedCode'
import { writeDate, type DateStyle, type DateValue } from '@/shared/display/dates'
import { useContent } from './queries'

/** A content text in one language; Chinese where a hospital left English empty. */
export function inLocale(text: LocalText, locale: Locale): string {
  return locale === 'en' && text.en.trim() !== '' ? text.en : text.zh
}

/** Words of tables and codes, for components. */
export function useWords() {
  const { t, locale } = useI18n()
  const { data } = useContent()
  const content = computed(() => data.value?.content)
  const say = (text: LocalText | null | undefined) => (text ? inLocale(text, locale.value as Locale) : '')
  /** The name of a code in one of the tables; the code itself when a newer version wrote it. */
  const named = (list: NamedCode[] | undefined, code: string | null | undefined) =>
    code ? say(list?.find((one) => one.code === code)?.name) || code : ''
  const category = (code: string) => content.value?.categories.find((one) => one.code === code)
  /** Both levels of a category. */
  const matter = (row: { category: string; subcategory: string }) =>
    [say(category(row.category)?.name) || row.category, named(category(row.category)?.subs, row.subcategory)].filter(Boolean).join(' / ')
  const date = (value: DateValue | null | undefined, style: DateStyle = 'date') => (value == null ? '' : writeDate(value, locale.value as Locale, style))
  /** The word of a code in the locale file; the code itself when there is none. */
  const word = (group: string, code: string) => (hasText(`complaints.${group}.${code}`) ? t(`complaints.${group}.${code}`) : code)
  return { t, locale, content, say, named, category, matter, date, word }
}
