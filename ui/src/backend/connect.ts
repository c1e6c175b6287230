import { BackendError, type Backend, type BackendEvents, type EventName, type FieldError, type Transport } from './contract'

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
  type Handler = (payload: unknown) => void
  const handlers = new Map<string, Set<Handler>>()
  let listening = false

  function dispatch(event: unknown) {
    const { name, payload } = event as { name: string; payload: unknown }
    handlers.get(name)?.forEach((handler) => handler(payload))
  }

  async function guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (reason) {
      const error = toBackendError(reason)
      // A page may ask at the very moment of locking: the answer says what the missed event would have said.
      if (error.code === 'signed_out') dispatch({ name: 'locked', payload: {} })
      throw error
    }
  }

  return {
    call: (name, request) => guarded(() => transport.rpc(name, request)) as never,
    on<K extends EventName>(name: K, handler: (payload: BackendEvents[K]) => void) {
      if (!listening) {
        listening = true
        transport.listen(dispatch)
      }
      const known = handlers.get(name) ?? new Set()
      handlers.set(name, known)
      known.add(handler as Handler)
      return () => void known.delete(handler as Handler)
    },
    pickFile: (options) => guarded(() => transport.pickFile(options)),
    pickSave: (options) => guarded(() => transport.pickSave(options)),
    openDial: (url) => guarded(() => transport.openDial(url)),
    setZoom: (factor) => guarded(() => transport.setZoom(factor)),
  }
}
