// The administrators' page of the central server: served by the server itself, over TLS, under its own authority.
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { get } from 'node:https'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterEach, expect, test } from 'vitest'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const HOST = process.env.AFTERCARE_HOST ?? fileURLToPath(new URL('../../../target/debug/aftercare-host', import.meta.url))
const SERVER = join(dirname(HOST), 'aftercare-server')
const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const PASSWORD = 'an own long password'

interface Office {
  page: Page
  browser: Browser
  server: ChildProcess
  home: string
  /** The one-time password of the first start. */
  given: string
}

let office: Office
afterEach(async () => {
  await office.browser.close()
  const ended = new Promise((resolve) => office.server.once('exit', resolve))
  office.server.kill('SIGKILL')
  await ended
  rmSync(office.home, { recursive: true, force: true })
})

async function openOffice(locale: string, width: number, height: number): Promise<Office> {
  const home = mkdtempSync(join(tmpdir(), 'aftercare-office-'))
  const server = spawn(SERVER, ['--home', home, '--listen', '127.0.0.1:0', '--hospital', '青山县人民医院'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, LANG: 'en_US.UTF-8', LC_ALL: '' },
  })
  const said = await new Promise<string>((resolve, reject) => {
    let text = ''
    server.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${text}`)))
    server.stdout.on('data', (some: Buffer) => {
      text += some.toString()
      if (text.includes('https://')) resolve(text)
    })
  })
  const address = /https:\/\/\S+/.exec(said)?.[0] ?? ''
  const given = /[2-9a-z]{4}(?:-[2-9a-z]{4}){3}/.exec(said)?.[0] ?? ''
  await trusted(address, join(home, 'authority.pem'))
  const browser = await chromium.launch({ executablePath: BROWSERS.find((path) => existsSync(path)), args: ['--no-sandbox'] })
  // The browser does not know the hospital's authority; that the certificate is of it was checked above.
  const context = await browser.newContext({ viewport: { width, height }, locale, ignoreHTTPSErrors: true })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  await page.goto(address)
  await page.waitForSelector('#page[data-ready="door"]')
  return { page, browser, server, home, given }
}

/** Fails when the server's certificate is not of its own authority. */
function trusted(address: string, authority: string): Promise<void> {
  return new Promise((resolve, reject) => {
    get(`${address}/healthz`, { ca: readFileSync(authority) }, (answer) => {
      answer.resume()
      if (answer.statusCode === 200) resolve()
      else reject(new Error(`healthz: ${answer.statusCode}`))
    }).once('error', reject)
  })
}

async function signIn(page: Page, given: string): Promise<void> {
  await page.fill('input[name=login]', 'admin')
  await page.fill('input[name=password]', given)
  await page.click('button.main')
  // A password that somebody else gave opens nothing but its change.
  await page.fill('input[name=old]', given)
  await page.fill('input[name=first]', PASSWORD)
  await page.fill('input[name=second]', PASSWORD)
  await page.click('button.main')
  await page.waitForSelector('#page[data-ready="overview"] nav')
}

async function open(page: Page, view: string, word: string): Promise<void> {
  await page.click(`nav button:text-is("${word}")`)
  await page.waitForSelector(`#page[data-ready="${view}"]`)
}

/** What a person cannot use or read: axe's serious findings, and what is wider than the window. */
async function barriers(page: Page): Promise<string[]> {
  // The page's policy lets no foreign script in; what the tests bring along comes past it.
  await page.evaluate(AXE)
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; impact: string }[] }> } }
    const found = (await axe.run()).violations.filter((one) => ['serious', 'critical'].includes(one.impact)).map((one) => one.id)
    return document.documentElement.scrollWidth > window.innerWidth ? [...found, 'wider than the window'] : found
  })
}

for (const [locale, width, height] of [['zh-CN', 1366, 768], ['en', 1920, 1080]] as const) {
  test(`an IT officer finds everything on the page, ${locale} at ${width}×${height}`, async () => {
    office = await openOffice(locale, width, height)
    const { page, given } = office
    expect(await barriers(page)).toEqual([])
    await signIn(page, given)
    const words = await page.evaluate(async (language) => (await fetch(`/words/${language}`)).json() as Promise<Record<string, string>>, locale)
    const views: [string, string][] = [
      ['overview', 'page_overview'], ['desks', 'page_devices'], ['sites', 'page_sites'], ['waiting', 'page_quarantined'],
      ['people', 'page_people'], ['audit', 'page_audit'], ['administrators', 'page_administrators'], ['server_audit', 'page_server_audit'],
    ]
    for (const [view, word] of views) {
      await open(page, view, words[word] ?? word)
      expect(await barriers(page), view).toEqual([])
    }

    await open(page, 'sites', words.page_sites ?? '')
    await page.fill('form.card input[name=name]', '东院')
    await page.click('form.card button')
    await expect.poll(() => page.locator('table input[name=name]').inputValue()).toBe('东院')
    await page.fill('table input[name=name]', '东湖院区')
    await page.click('table form button')
    await expect.poll(() => page.locator('.said').innerText()).toBe(words.page_renamed)

    await open(page, 'desks', words.page_devices ?? '')
    await page.check('label:has-text("东湖院区") input')
    await page.click('button.main')
    expect(await page.locator('.code').innerText()).toMatch(/^[A-Z0-9]{5}(-[A-Z0-9]{5}){4}$/)

    await open(page, 'audit', words.page_audit ?? '')
    const trail = await page.locator('table').innerText()
    for (const act of ['act_site_added', 'act_site_renamed', 'act_code_made']) expect(trail).toContain(words[act])
  })
}
