import type { ResponseOf } from '@/backend'

/** A saved way of matching columns. */
export type ProfileChoice = ResponseOf<'imports_profiles'>['profiles'][number]
