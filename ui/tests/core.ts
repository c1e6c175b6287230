import { vi } from 'vitest'
import type { CommandName, RequestOf, ResponseOf } from '@/backend'

/** Answers for the commands a test needs; anything else is refused as unknown. */
export type Answers = { [K in CommandName]?: (request: RequestOf<K>) => ResponseOf<K> | Promise<ResponseOf<K>> }

/** Thrown by an answer: the core refuses with this code. */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    readonly params: Record<string, string | number> = {},
    readonly fields: { field: string; code: string; params?: Record<string, string | number> }[] = [],
  ) {
    super(code)
  }
}

/**
 * Stands in for the core behind the HTTP adapter, so that tests run the real adapter. Answers the list of calls made,
 * as `[name, request]`.
 */
export function answerWith(answers: Answers): [string, unknown][] {
  const calls: [string, unknown][] = []
  vi.stubGlobal('fetch', async (path: string, init: { body: string }) => {
    const name = path.replace('/rpc/', '') as CommandName
    const request = JSON.parse(init.body) as never
    calls.push([name, request])
    try {
      const answer = answers[name]
      if (!answer) throw new Refusal('unknown_command')
      const value = (await answer(request)) as unknown
      return { ok: true, text: async () => JSON.stringify(value) }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const { code, params, fields } = error
      return { ok: false, text: async () => JSON.stringify({ code, params, fields, trace: 't1' }) }
    }
  })
  return calls
}

class Channel {
  static open: Channel[] = []
  onmessage: ((message: { data: string }) => void) | null = null
  constructor() {
    Channel.open.push(this)
  }
}

/** Gives the adapter something to listen to; the set-up of every test does it. */
export function openChannel(): void {
  vi.stubGlobal('EventSource', Channel)
}

/** The core tells of something without being asked. */
export function tell(name: string, payload: unknown): void {
  for (const channel of Channel.open) channel.onmessage?.({ data: JSON.stringify({ name, payload }) })
}
