import { BackendError, type Transport } from './contract'
import { toBackendError } from './connect'
import { zoomByStyle } from './zoom'

async function post(path: string, body: unknown): Promise<unknown> {
  let response: Response
  try {
    response = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  } catch {
    throw new BackendError('unreachable')
  }
  const text = await response.text()
  if (!response.ok) throw toBackendError(text)
  return text === '' ? null : JSON.parse(text)
}

/** The loopback host that lets a browser drive the interface in tests: the same commands over HTTP. */
export function httpTransport(): Transport {
  return {
    rpc: (name, request) => post(`/rpc/${name}`, request),
    listen(handler) {
      const source = new EventSource('/events')
      source.onmessage = (message) => handler(JSON.parse(message.data as string))
    },
    pickFile: (options) => post('/dialog/open', options) as Promise<string | null>,
    pickSave: (options) => post('/dialog/save', options) as Promise<string | null>,
    openDial: async (url) => void (await post('/dial', { url })),
    setZoom: (factor) => zoomByStyle(factor),
  }
}
