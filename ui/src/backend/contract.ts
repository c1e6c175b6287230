import type { Commands } from '@/bindings/commands'
import type { FieldError } from '@/bindings/FieldError'

/** An error that belongs to one input of the form that was sent: `field` is the request's, in dots when nested. */
export type { FieldError }

/** The name of a command, as the generated list spells it. */
export type CommandName = keyof Commands
/** What a command takes. */
export type RequestOf<K extends CommandName> = Commands[K]['request']
/** What a command answers. */
export type ResponseOf<K extends CommandName> = Commands[K]['response']

/** Values that fill the placeholders of an error's text. */
export type ErrorParams = Record<string, string | number>

/** Every failed call rejects with this and nothing else. It carries a code, never words: `errors.json` has the words. */
export class BackendError extends Error {
  constructor(
    readonly code: string,
    readonly params: ErrorParams = {},
    readonly trace: string | null = null,
    readonly fields: FieldError[] = [],
  ) {
    super(code)
    this.name = 'BackendError'
  }
}

/** What the core tells without being asked, by name. */
export interface BackendEvents {
  /** Data of these features changed: ask again. */
  changed: { features: string[] }
  /** The session ended. */
  locked: object
  /** A piece of work in the background ended; `kind` is its command's name. `settings_job` tells how. */
  job: { id: string; kind: string }
  /** Files are held over the window, or no longer. Told by the desktop only. */
  dragging: { over: boolean }
  /** Files were dropped on the window: chosen as in a dialog. Told by the desktop only. */
  dropped: { paths: string[] }
  /** A round with the server ended; `problem` is the error's code. */
  sync: { problem: string | null }
}

export type EventName = keyof BackendEvents

export interface FileFilter {
  /** Shown by the dialog; already in the user's language. */
  name: string
  /** Without the dot. */
  extensions: string[]
}

/** The one door to everything outside the page. */
export interface Backend {
  /** Runs a command of the core. Rejects with `BackendError`. */
  call<K extends CommandName>(name: K, request: RequestOf<K>): Promise<ResponseOf<K>>
  /** Listens to one kind of event; the answer stops listening. */
  on<K extends EventName>(name: K, handler: (payload: BackendEvents[K]) => void): () => void
  /** Asks for a file to read; null when the person cancels. */
  pickFile(options: { title?: string; filters: FileFilter[] }): Promise<string | null>
  /** Asks where to write a file; null when the person cancels. */
  pickSave(options: { title?: string; defaultName: string; filters?: FileFilter[] }): Promise<string | null>
  /** Hands a `tel:` or `sip:` address to the phone program. */
  openDial(url: string): Promise<void>
  /** Scales the whole page, 1 = 100 %. */
  setZoom(factor: number): Promise<void>
}

/** What a host can do; `connect` adds event names and error mapping on top, the same for each host. */
export interface Transport {
  rpc(name: string, request: unknown): Promise<unknown>
  /** Passes on every `{name, payload}` of the core. */
  listen(handler: (event: unknown) => void): void
  pickFile: Backend['pickFile']
  pickSave: Backend['pickSave']
  openDial: Backend['openDial']
  setZoom: Backend['setZoom']
}
