import { invoke } from '@tauri-apps/api/core'
import { listen } from '@tauri-apps/api/event'
import { getCurrentWebview } from '@tauri-apps/api/webview'
import type { Transport } from './contract'
import { zoomByStyle } from './zoom'

declare global {
  interface Window {
    /** What `session_status` answered when the window was opened: the first page is painted without asking. */
    aftercareStart?: unknown
  }
}

/** The answer that came with the page, once; a page that was loaded again asks anew. */
function startAnswer(): unknown {
  const answer = window.aftercareStart
  delete window.aftercareStart
  const [load] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[]
  return load?.type === 'reload' || answer === null ? undefined : answer
}

/** The desktop window: one `rpc` command, one event channel, and the shell's own dialogs. */
export function tauriTransport(): Transport {
  let start = startAnswer()
  return {
    rpc(name, request) {
      if (name !== 'session_status' || start === undefined) return invoke('rpc', { name, request })
      const answer = start
      start = undefined
      return Promise.resolve(answer)
    },
    listen: (handler) => void listen('aftercare', (event) => handler(event.payload)),
    pickFile: (options) => invoke<string | null>('pick_file', { options }),
    pickSave: (options) => invoke<string | null>('pick_save', { options }),
    openDial: (url) => invoke<void>('open_dial', { url }),
    // The window's own zoom scales menus and scroll bars too; without the right to it, the page scales itself.
    setZoom: (factor) => getCurrentWebview().setZoom(factor).catch(() => zoomByStyle(factor)),
  }
}
