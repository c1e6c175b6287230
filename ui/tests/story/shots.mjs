// Pictures of the shared components and of the pages that need no data, in both sizes, themes and languages: `npm run build && npm run shots`.
// They land in test-results/shots. Serious findings of axe end the run with an error.
import { mkdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { chromium, selectors } from 'playwright-core'
import { serve, story } from './host.mjs'

const OUT = fileURLToPath(new URL('../../test-results/shots', import.meta.url))
const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const only = process.argv[2]
const SIZES = [[1366, 768], [1920, 1080]]
const findings = []
selectors.setTestIdAttribute('data-test')

async function look(page, name) {
  await page.locator('[data-ready="true"]').first().waitFor()
  await page.waitForTimeout(350)
  await page.screenshot({ path: `${OUT}/${name}.png` })
  await page.evaluate(AXE)
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }))
  for (const v of violations.filter((one) => ['serious', 'critical'].includes(one.impact))) {
    findings.push(`${name}: ${v.id} ${v.nodes.map((node) => node.target.join(' ')).join(' | ')}`)
  }
}

async function walkSetup(page, tag) {
  await look(page, `${tag}-setup-0`)
  await page.getByTestId('choose-own').click()
  await look(page, `${tag}-setup-1`)
  await page.getByTestId('hospital').fill('青山县人民医院')
  await page.getByTestId('site').fill('本部')
  await page.getByTestId('next').click()
  await page.getByTestId('display-name').fill('王芳')
  await page.getByTestId('password').fill('a long enough password')
  await page.getByTestId('repeat').fill('a long enougx')
  await look(page, `${tag}-setup-2`)
  await page.getByTestId('repeat').fill('a long enough password')
  await page.getByTestId('next').click()
  await page.getByTestId('code-typed').fill('k7qm 2xwd 9')
  await look(page, `${tag}-setup-3`)
  await page.getByTestId('code-typed').fill('k7qm2xwd9rtahj4cp8vn3efb')
  await page.getByTestId('next').click()
  await look(page, `${tag}-setup-4`)
  await page.getByTestId('to-home').click()
  await page.getByTestId('shell').waitFor()
}

async function walkShell(page, tag) {
  await look(page, `${tag}-home`)
  await page.goto(new URL('/#/settings', page.url()).href)
  await look(page, `${tag}-appearance`)
  await page.keyboard.press('F1')
  await page.getByTestId('key-help').waitFor()
  await look(page, `${tag}-keys`)
  await page.keyboard.press('Escape')
  await page.getByTestId('key-help').waitFor({ state: 'hidden' })
  await page.keyboard.press('Control+k')
  await look(page, `${tag}-palette`)
  await page.keyboard.press('Escape')
  await page.getByRole('combobox').waitFor({ state: 'hidden' })
  await page.keyboard.press('Control+l')
  await page.getByTestId('lock-screen').waitFor()
  for (let i = 0; i < 3; i += 1) {
    await page.getByTestId('login-password').fill('wrong')
    await page.keyboard.press('Enter')
    await page.waitForTimeout(150)
    if (i === 0) await look(page, `${tag}-lock-wrong`)
  }
  await look(page, `${tag}-lock-wait`)
  await page.getByTestId('recover').click()
  await look(page, `${tag}-recover`)
}

async function walkComponents(context, tag) {
  const host = await serve(story(), fileURLToPath(new URL('./dist', import.meta.url)))
  const page = await context.newPage()
  page.on('pageerror', (error) => findings.push(`${tag}: ${error.message}`))
  for (const part of ['table', 'charts', 'forms', 'paper']) {
    await page.goto(`${host.url}/?part=${part}`)
    await page.waitForTimeout(part === 'charts' ? 900 : 0)
    await look(page, `${tag}-part-${part}`)
  }
  host.stop()
}

await mkdir(OUT, { recursive: true })
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
for (const [width, height] of SIZES) {
  for (const theme of ['light', 'dark']) {
    for (const locale of ['zh-CN', 'en']) {
      const tag = `${width}-${theme}-${locale}`
      if (only && !tag.includes(only)) continue
      const host = await serve(story())
      const context = await browser.newContext({ viewport: { width, height } })
      await context.addInitScript(
        (chosen) => localStorage.getItem('aftercare.appearance') ?? localStorage.setItem('aftercare.appearance', chosen),
        JSON.stringify({ theme, locale, scale: Number(process.env.SCALE ?? 100) }),
      )
      await walkComponents(context, tag)
      const page = await context.newPage()
      page.on('pageerror', (error) => findings.push(`${tag}: ${error.message}`))
      page.on('console', (message) => message.type() === 'error' && !message.text().includes('422') && findings.push(`${tag}: ${message.text()}`))
      page.setDefaultTimeout(8000)
      await page.goto(host.url)
      await walkSetup(page, tag)
      await walkShell(page, tag)
      await context.close()
      host.stop()
    }
  }
}
await browser.close()
for (const finding of new Set(findings)) console.log(finding)
process.exitCode = findings.length > 0 ? 1 : 0
