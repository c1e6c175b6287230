import { BackendError } from '@/backend'
import { hasText, t } from '@/app/i18n'

/** The words for a code; an unknown code is an internal error, never a bare code. */
export function codeText(code: string, params: Record<string, string | number> = {}): string {
  const key = `errors.${code}`
  return t(hasText(key) ? key : 'errors.internal', params)
}

/** The words for anything that a call rejected with. */
export function errorText(error: unknown): string {
  return error instanceof BackendError ? codeText(error.code, error.params) : codeText('internal')
}

/** The words that belong to one input; nested fields by their dotted path. Empty when the field is fine. */
export function fieldText(error: unknown, field: string): string {
  if (!(error instanceof BackendError)) return ''
  const found = error.fields.find((entry) => entry.field === field)
  return found ? codeText(found.code, found.params) : ''
}

/** True when every fault stands beside an input already, so that a notice above the form only has to say so. */
export function onlyFields(error: unknown, shown: string[]): boolean {
  return error instanceof BackendError && error.fields.length > 0 && error.fields.every((entry) => shown.includes(entry.field))
}
