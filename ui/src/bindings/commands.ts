// Placeholder until the generator writes this file from Rust.
export interface SessionUser { id: string; login: string; display_name: string; roles: string[]; permissions: string[] }
export interface SessionStatus {
  state: 'setup' | 'locked' | 'open'
  hospital: string
  site: string
  user: SessionUser | null
  idle_seconds: number
  app_version: string
}
export interface WireError { code: string; params: Record<string, string | number>; trace: string; fields: { field: string; code: string; params: Record<string, string | number> }[] }
export interface JobStatus { id: string; kind: string; state: string; done: number; total: number; result: unknown; error: WireError | null }
type Empty = Record<string, never>
export interface Commands {
  session_status: { request: Empty; response: SessionStatus }
  session_setup: { request: { hospital: string; site: string; login: string; display_name: string; password: string }; response: { recovery_code: string } }
  session_login: { request: { login: string; password: string }; response: SessionStatus }
  session_recover: { request: { recovery_code: string; login: string; new_password: string }; response: SessionStatus }
  session_lock: { request: Empty; response: Empty }
  session_touch: { request: Empty; response: Empty }
  session_change_password: { request: { password: string; new_password: string }; response: Empty }
  settings_job: { request: { id: string }; response: JobStatus }
  settings_job_cancel: { request: { id: string }; response: Empty }
  settings_draft_save: { request: { key: string; body: unknown }; response: Empty }
  settings_draft_load: { request: { key: string }; response: { body: unknown; saved_at: number | null } }
  settings_draft_clear: { request: { key: string }; response: Empty }
}
