import { describe, expect, it, vi } from 'vitest'
import { BackendError, type Transport } from './contract'
import { connect, toBackendError } from './connect'

function host(rpc: Transport['rpc']) {
  let tell: (event: unknown) => void = () => undefined
  const listen = vi.fn((handler: (event: unknown) => void) => void (tell = handler))
  const nothing = async () => null
  const backend = connect({ rpc, listen, pickFile: nothing, pickSave: nothing, openDial: async () => undefined, setZoom: async () => undefined })
  return { backend, listen, tell: (event: unknown) => tell(event) }
}

describe('the backend', () => {
  it('hands back what the core answers', async () => {
    const { backend } = host(async (name, request) => ({ name, request }))
    expect(await backend.call('session_touch', {})).toEqual({ name: 'session_touch', request: {} })
  })

  it('rejects with code, params, trace and fields, whatever the host threw', async () => {
    const wire = { code: 'invalid', params: { max: 3 }, trace: 'abc', fields: [{ field: 'login', code: 'taken' }] }
    for (const thrown of [wire, JSON.stringify(wire)]) {
      const { backend } = host(() => Promise.reject(thrown))
      const error = await backend.call('session_touch', {}).catch((e: unknown) => e)
      expect(error).toBeInstanceOf(BackendError)
      expect(error).toMatchObject({ code: 'invalid', params: { max: 3 }, trace: 'abc', fields: [{ field: 'login', code: 'taken', params: {} }] })
    }
  })

  it.each([undefined, 'no json', new Error('broken pipe'), 42, { message: 'x' }])('calls %s an internal error', (reason) => {
    expect(toBackendError(reason)).toMatchObject({ code: 'internal', fields: [] })
  })

  it('subscribes to the host once and tells each listener its own events', () => {
    const { backend, listen, tell } = host(async () => null)
    const changed = vi.fn()
    const locked = vi.fn()
    const stop = backend.on('changed', changed)
    backend.on('locked', locked)
    tell({ name: 'changed', payload: { features: ['archive'] } })
    stop()
    tell({ name: 'changed', payload: { features: ['staff'] } })
    tell({ name: 'job', payload: { id: '1', kind: 'imports_run' } })
    expect(listen).toHaveBeenCalledTimes(1)
    expect(changed.mock.calls).toEqual([[{ features: ['archive'] }]])
    expect(locked).not.toHaveBeenCalled()
  })

  it('takes a refusal for want of a session as news of the lock', async () => {
    const { backend } = host(() => Promise.reject({ code: 'signed_out' }))
    const locked = vi.fn()
    backend.on('locked', locked)
    await backend.call('session_touch', {}).catch(() => undefined)
    expect(locked).toHaveBeenCalledOnce()
  })
})
