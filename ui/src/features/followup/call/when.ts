import { t } from '@/app/i18n'
import type { WhenWords } from './appointment'

const list = (text: string) => text.split(',').map((word) => word.trim().toLowerCase()).filter(Boolean)

/** The words for days and times in the user's language. */
export function whenWords(): WhenWords {
  return {
    today: list(t('followup.when.today')), tomorrow: list(t('followup.when.tomorrow')), dayAfter: list(t('followup.when.day_after')),
    morning: list(t('followup.when.morning')), afternoon: list(t('followup.when.afternoon')), evening: list(t('followup.when.evening')),
    nextWeek: list(t('followup.when.next_week')), weekdays: t('followup.when.weekdays').split(';').map(list),
    hour: list(t('followup.when.hour')), half: list(t('followup.when.half')),
  }
}
