import { invoke } from '@tauri-apps/api/core'
import { listen } from '@tauri-apps/api/event'
import { getCurrentWebview } from '@tauri-apps/api/webview'
import type { Transport } from './contract'
import { zoomByStyle } from './zoom'

/** The desktop window: one `rpc` command, one event channel, and the shell's own dialogs. */
export function tauriTransport(): Transport {
  return {
    rpc: (name, request) => invoke('rpc', { name, request }),
    listen: (handler) => void listen('aftercare', (event) => handler(event.payload)),
    pickFile: (options) => invoke<string | null>('pick_file', { options }),
    pickSave: (options) => invoke<string | null>('pick_save', { options }),
    openDial: (url) => invoke<void>('open_dial', { url }),
    // The window's own zoom scales menus and scroll bars too; without the right to it, the page scales itself.
    setZoom: (factor) => getCurrentWebview().setZoom(factor).catch(() => zoomByStyle(factor)),
  }
}
