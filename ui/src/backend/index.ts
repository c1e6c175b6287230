import { connect } from './connect'
import { httpTransport } from './http'
import { tauriTransport } from './tauri'

export * from './contract'
export { toBackendError } from './connect'

const inDesktop = typeof window !== 'undefined' && '__TAURI_INTERNALS__' in window

/** The core, through whichever host this page runs in. */
export const backend = connect(inDesktop ? tauriTransport() : httpTransport())
