import { backend } from '@/backend'

/** A number in full, as people write it. The core logs each look. */
export async function revealPhone(patient_id: string, record_id: string): Promise<string> {
  return (await backend.call('archive_reveal', { patient_id, field: 'phone', record_id })).display
}
