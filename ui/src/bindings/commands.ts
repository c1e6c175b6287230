// Placeholder until the generator writes this file from Rust.
export interface SessionUser { id: string; login: string; display_name: string; roles: string[]; permissions: string[] }
export interface SessionStatus {
  state: 'setup' | 'locked' | 'open'
  hospital: string | null
  site: string | null
  user: SessionUser | null
  idle_seconds: number
  lockout: { login: string; until: string } | null
  app_version: string
}
type Empty = Record<string, never>
export interface Commands {
  session_status: { request: Empty; response: SessionStatus }
  session_setup: { request: { hospital: string; site: string; login: string; display_name: string; password: string }; response: { recovery_code: string } }
  session_login: { request: { login: string; password: string }; response: SessionStatus }
  session_recover: { request: { recovery_code: string; login: string; new_password: string }; response: SessionStatus }
  session_lock: { request: Empty; response: SessionStatus }
  session_logout: { request: Empty; response: SessionStatus }
  session_touch: { request: Empty; response: SessionStatus }
  session_change_password: { request: { old_password: string; new_password: string }; response: SessionStatus }
  settings_draft_save: { request: { key: string; body: string }; response: Empty }
  settings_draft_load: { request: { key: string }; response: { body: string | null } }
  settings_draft_clear: { request: { key: string }; response: Empty }
}
