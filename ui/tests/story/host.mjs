// A stand-in for the core, for looking at session pages and components without one. Never part of the product.
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const DIST = fileURLToPath(new URL('../../dist', import.meta.url))
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
const PERMISSIONS = ['followup.call', 'archive.read', 'settings.manage']

/** The state of one story: what the commands answer, and what happens on them. */
export function story(state = 'setup') {
  const drafts = new Map()
  let failures = 0
  const user = { id: 'u1', login: 'wangfang', display_name: '王芳', roles: ['nurse'], permissions: PERMISSIONS }
  const status = () => ({
    state, hospital: state === 'setup' ? '' : '青山县人民医院', site: state === 'setup' ? '' : '本部',
    user: state === 'open' ? user : null, idle_seconds: 300, app_version: '0.1.0',
  })
  const refuse = (code, params = {}, fields = []) => ({ refused: { code, params, trace: null, fields } })
  const commands = {
    session_status: status,
    session_setup: () => ((state = 'locked'), { recovery_code: 'K7QM-2XWD-9RTA-HJ4C-P8VN-3EFB' }),
    session_login({ password }) {
      if (password === 'a long enough password') return (state = 'open'), (failures = 0), status()
      failures += 1
      if (failures < 3) return refuse('wrong_password', { left: 5 - failures })
      return refuse('locked_out', { until: Date.now() + 272_000, minutes: 5 })
    },
    session_lock: () => ((state = 'locked'), {}),
    session_touch: () => ({}),
    settings_draft_save: ({ key, body }) => (drafts.set(key, body), {}),
    settings_draft_load: ({ key }) => ({ body: drafts.get(key) ?? null }),
    settings_draft_clear: ({ key }) => (drafts.delete(key), {}),
  }
  return { run: (name, request) => commands[name]?.(request) ?? refuse('internal') }
}

/** Serves the built interface with one story behind it; answers the address and a way to stop. */
export function serve(told, folder = DIST) {
  const server = createServer(async (request, response) => {
    if (request.url.startsWith('/rpc/')) {
      let body = ''
      for await (const part of request) body += part
      const answer = told.run(request.url.slice(5), JSON.parse(body || '{}'))
      response.writeHead(answer.refused ? 422 : 200, { 'content-type': 'application/json' })
      return response.end(JSON.stringify(answer.refused ?? answer))
    }
    if (request.url === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      return response.write(': here\n\n')
    }
    const path = normalize(request.url.split('?')[0] === '/' ? '/index.html' : request.url.split('?')[0])
    const file = await readFile(join(folder, path)).catch(() => null)
    response.writeHead(file ? 200 : 404, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' })
    response.end(file ?? '')
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const stop = () => (server.closeAllConnections(), server.close())
      resolve({ url: `http://127.0.0.1:${server.address().port}`, stop })
    })
  })
}
