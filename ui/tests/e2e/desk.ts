import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import type { Commands } from '@/bindings/commands'

const PAGE = fileURLToPath(new URL('../../dist', import.meta.url))
const HOST = process.env.AFTERCARE_HOST ?? fileURLToPath(new URL('../../../target/debug/aftercare-host', import.meta.url))
const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** The first person of a test's hospital. */
export const ALICE = { login: 'alice', display_name: '李爱丽', password: 'correct horse 42' }

let browser: Promise<Browser> | undefined

/** One browser for every test of the run; it ends with the process. */
function theBrowser(): Promise<Browser> {
  browser ??= chromium.launch({ executablePath: BROWSERS.find((path) => existsSync(path)), args: ['--no-sandbox'] })
  return browser
}

/** A hospital of one test: its own data folder, its own host, its own page. */
export interface Desk {
  page: Page
  /** Calls a command as the page would; rejects with the error's JSON. */
  call<K extends keyof Commands>(name: K, request: Commands[K]['request']): Promise<Commands[K]['response']>
  /** It is this instant now, for the core. */
  setClock(now: Date): Promise<void>
  /** So many seconds pass at once, for the core. */
  pass(seconds: number): Promise<void>
  /** Answers the next file dialog; null is a dialog that was cancelled. */
  answerDialog(path: string | null): Promise<void>
  /** The phone addresses dialled so far. */
  dialled(): Promise<string[]>
  /** A folder of this test, for files to import and export. */
  folder: string
  /** Ends the host; fails when the page reported an error that the test did not expect. */
  close(): Promise<void>
  /** What the page reported; a test that provokes an error empties it. */
  complaints: string[]
}

export interface DeskOptions {
  /** Skip the first-run wizard: set the hospital up and log alice in. */
  signedIn?: boolean
  locale?: 'zh-CN' | 'en'
  width?: number
  height?: number
}

/** Starts a desk and opens its first page. */
export async function openDesk(options: DeskOptions = {}): Promise<Desk> {
  const folder = mkdtempSync(join(tmpdir(), 'aftercare-e2e-'))
  const { host, address } = await startHost(join(folder, 'home'))
  const post = poster(address)
  if (options.signedIn) {
    await post('/rpc/session_setup', { hospital: '青山县人民医院', site: '本部', ...ALICE })
    await post('/rpc/session_login', { login: ALICE.login, password: ALICE.password })
  }
  const context = await (await theBrowser()).newContext({
    viewport: { width: options.width ?? 1366, height: options.height ?? 768 },
    locale: options.locale ?? 'zh-CN',
    timezoneId: 'Asia/Shanghai',
  })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  const complaints = listen(page)
  await page.goto(address)
  await page.waitForSelector('[data-ready="true"]')
  return {
    page,
    folder,
    complaints,
    call: (name, request) => post(`/rpc/${name}`, request) as never,
    setClock: async (now) => void (await post('/test/clock', { now: now.toISOString() })),
    pass: async (seconds) => void (await post('/test/clock', { advance_seconds: seconds })),
    answerDialog: async (path) => void (await post('/test/dialog', { path })),
    dialled: async () => (await fetch(`${address}/test/dialled`)).json() as Promise<string[]>,
    close: () => closed(context, host, folder, complaints),
  }
}

/** Page errors and console errors, the content policy's refusals among them. Refused commands are answers, not errors. */
function listen(page: Page): string[] {
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('status of 422')) complaints.push(`${message.text()} (${message.location().url})`)
  })
  return complaints
}

async function startHost(home: string): Promise<{ host: ChildProcess; address: string }> {
  const host = spawn(HOST, ['--home', home, '--ui', PAGE], { stdio: ['ignore', 'pipe', 'inherit'] })
  const address = await new Promise<string>((resolve, reject) => {
    host.once('error', reject)
    host.once('exit', (code) => reject(new Error(`the host ended with ${code}`)))
    host.stdout.once('data', (line: Buffer) => resolve(line.toString().trim()))
  })
  return { host, address }
}

function poster(address: string) {
  return async (path: string, body: unknown): Promise<unknown> => {
    const response = await fetch(address + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`)
    return text ? JSON.parse(text) : null
  }
}

async function closed(context: BrowserContext, host: ChildProcess, folder: string, complaints: string[]): Promise<void> {
  await context.close()
  const ended = new Promise((resolve) => host.once('exit', resolve))
  host.kill('SIGKILL')
  await ended
  rmSync(folder, { recursive: true, force: true })
  if (complaints.length > 0) throw new Error(`the page complained: ${complaints.join(' | ')}`)
}
