import type { AnsweredLine } from '@/bindings/AnsweredLine'
import { asTyped } from '../call/answers'
import { useWords } from '../words'

/** Earlier answers in words. */
export function useAnswered() {
  const { t, say, date } = useWords()
  function inWords(line: AnsweredLine): string {
    const { value } = line
    if (line.labels.length > 0) return line.labels.map(say).join(t('followup.comma'))
    if (value.type === 'bool') return t(value.value ? 'followup.form.yes' : 'followup.form.no')
    if (value.type === 'date') return date(value.value)
    if (value.type === 'single' || value.type === 'scale') return String(value.value)
    if (value.type === 'multi') return value.value.join(t('followup.comma'))
    return `${asTyped(value)} ${say(line.unit)}`.trim()
  }
  return { inWords }
}
