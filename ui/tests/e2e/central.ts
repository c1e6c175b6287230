import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SERVER = process.env.AFTERCARE_SERVER ?? fileURLToPath(new URL('../../../target/debug/aftercare-server', import.meta.url))
const PATIENCE_MS = 60_000

/** A one-time code, with the fingerprint that the administrator's screen shows beside it. */
export interface Code {
  code: string
  fingerprint: string
  fingerprint_words: string
}

/** The hospital's server, as its administrator runs it: a process of its own with a home of its own. */
export interface Central {
  address: string
  /** Runs a command of the server's program and reads its JSON. */
  say(...words: string[]): unknown
  /** A code for a desk that brings its history, or for a new PC of these sites. */
  code(...sites: string[]): Code
  /** Ends the process; desks find nobody. */
  stop(): Promise<void>
  /** Starts it again at the same address. */
  start(): Promise<void>
  close(): Promise<void>
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

const answers = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

/** Starts a server with an empty hospital. */
export async function openCentral(): Promise<Central> {
  const home = mkdtempSync(join(tmpdir(), 'aftercare-central-'))
  const port = await freePort()
  let child: ChildProcess | null = null

  async function start() {
    child = spawn(SERVER, ['--home', home, '--listen', `127.0.0.1:${port}`, '--hospital', '青山县人民医院'], { stdio: 'ignore' })
    const until = Date.now() + PATIENCE_MS
    while (!(await answers(port))) {
      if (child.exitCode !== null || Date.now() > until) throw new Error('the server does not answer')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async function stop() {
    const ending = child
    child = null
    if (!ending || ending.exitCode !== null) return
    const ended = new Promise((resolve) => ending.once('exit', resolve))
    ending.kill('SIGKILL')
    await ended
  }

  const say = (...words: string[]) => JSON.parse(execFileSync(SERVER, ['--home', home, '--json', ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })) as unknown
  await start()
  return {
    address: `127.0.0.1:${port}`,
    say,
    code: (...sites) => say('code', 'new', ...(sites.length > 0 ? ['--sites', sites.join(',')] : ['--history'])) as Code,
    stop,
    start,
    close: async () => {
      await stop()
      rmSync(home, { recursive: true, force: true })
    },
  }
}
