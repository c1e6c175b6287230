import { t } from '@/app/i18n'
import { backend } from '@/backend'
import type { FormsTryRequest } from '@/bindings/FormsTryRequest'

const filters = () => [{ name: t('forms.exchange.file'), extensions: ['json'] }]

async function where(defaultName: string): Promise<string | null> {
  const chosen = await backend.pickSave({ title: t('forms.exchange.export'), defaultName: `${defaultName}.json`, filters: filters() })
  return chosen && !/\.json$/i.test(chosen) ? `${chosen}.json` : chosen
}

/** Writes a version where the person says; null when they cancel. */
export async function exportFile(code: string, version: number, label: string) {
  const path = await where(`${code}-${label}`)
  return path === null ? null : backend.call('forms_export', { code, version, path })
}

/** Reads the file the person chooses; null when they cancel. */
export async function importFile() {
  const path = await backend.pickFile({ title: t('forms.exchange.import'), filters: filters() })
  return path === null ? null : backend.call('forms_import', { path })
}

/** Writes sample answers; false when the person cancels. */
export async function writeAnswers(draft: FormsTryRequest): Promise<boolean> {
  const path = await where(`${draft.plan.code || 'answers'}-response`)
  if (path === null) return false
  await backend.call('forms_answers_write', { draft, path })
  return true
}

/** Reads sample answers; null when the person cancels. */
export async function readAnswers(draft: FormsTryRequest) {
  const path = await backend.pickFile({ title: t('forms.exchange.read_answers'), filters: filters() })
  return path === null ? null : backend.call('forms_answers_read', { draft, path })
}
