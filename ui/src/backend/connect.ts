import {
  BackendError,
  type Backend,
  type BackendEvent,
  type EventKind,
  type EventOf,
  type FieldError,
  type Transport,
} from './contract'

/** Turns whatever a host rejects with into a `BackendError`, so that pages meet one shape only. */
export function toBackendError(reason: unknown): BackendError {
  if (reason instanceof BackendError) return reason
  const value = typeof reason === 'string' ? parsed(reason) : reason
  if (value && typeof value === 'object' && typeof (value as { code?: unknown }).code === 'string') {
    const { code, params, trace, fields } = value as { code: string; params?: unknown; trace?: unknown; fields?: unknown }
    return new BackendError(
      code,
      (params ?? {}) as BackendError['params'],
      typeof trace === 'string' ? trace : null,
      Array.isArray(fields) ? (fields as FieldError[]).map((f) => ({ ...f, params: f.params ?? {} })) : [],
    )
  }
  return new BackendError('internal')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** Builds the backend on a host: one subscription to the host, many listeners here. */
export function connect(transport: Transport): Backend {
  const handlers = new Map<EventKind, Set<(event: BackendEvent) => void>>()
  let listening = false

  function dispatch(payload: unknown) {
    const event = payload as BackendEvent
    handlers.get(event?.kind)?.forEach((handler) => handler(event))
  }

  async function guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (reason) {
      throw toBackendError(reason)
    }
  }

  return {
    call: (name, request) => guarded(() => transport.rpc(name, request)) as never,
    on<K extends EventKind>(kind: K, handler: (event: EventOf<K>) => void) {
      if (!listening) {
        listening = true
        transport.listen(dispatch)
      }
      const known = handlers.get(kind) ?? new Set()
      handlers.set(kind, known)
      known.add(handler as (event: BackendEvent) => void)
      return () => void known.delete(handler as (event: BackendEvent) => void)
    },
    pickFile: (options) => guarded(() => transport.pickFile(options)),
    pickSave: (options) => guarded(() => transport.pickSave(options)),
    openDial: (url) => guarded(() => transport.openDial(url)),
    setZoom: (factor) => guarded(() => transport.setZoom(factor)),
  }
}
