import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { flatten } from '@/app/words/messages'

const ROOT = resolve(import.meta.dirname, '..')
const LOCALES = resolve(ROOT, '../assets/locales')

function filesBelow(folder: string, ending: RegExp): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => ending.test(path)).map((path) => join(folder, path))
}

/** Files that a program in Rust reads too: whether each of their words is used cannot be seen here. */
const forRust = new Set(
  ['crates', 'src-tauri/src', 'xtask/src'].flatMap((part) => filesBelow(resolve(ROOT, '..', part), /\.rs$/))
    .flatMap((path) => [...readFileSync(path, 'utf8').matchAll(/locales\/zh-CN\/(\w+)\.json/g)].map((match) => match[1] as string)),
)

const names = readdirSync(join(LOCALES, 'zh-CN')).filter((file) => file.endsWith('.json')).map((file) => file.replace('.json', '')).sort()

function read(locale: string, name: string): Record<string, string> {
  return flatten(name, JSON.parse(readFileSync(join(LOCALES, locale, `${name}.json`), 'utf8')))
}

function sources(): { path: string; text: string }[] {
  return filesBelow(join(ROOT, 'src'), /\.(vue|ts)$/)
    .filter((path) => !path.endsWith('.test.ts') && !path.includes('/src/bindings/'))
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }))
}

const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/<!--[\s\S]*?-->/g, '').replace(/(^|[^:'"])\/\/.*$/gm, '$1')

const code = sources().map(({ path, text }) => ({ path, text: withoutComments(text) }))

const zh = Object.assign({}, ...names.map((name) => read('zh-CN', name))) as Record<string, string>
const known = names.join('|')

/** Keys that stand in the code whole: `'archive.title'`. */
const literal = new Map<string, string>()
/** Beginnings of keys that are put together: `` `archive.sex.${sex}` ``. */
const beginnings = new Set<string>()
for (const { path, text } of code) {
  for (const [, key] of text.matchAll(new RegExp(`['"\`]((?:${known})(?:\\.[A-Za-z0-9_-]+)+)['"\`]`, 'g'))) literal.set(key as string, path)
  for (const [, start] of text.matchAll(new RegExp(`\`((?:${known})\\.[A-Za-z0-9_.-]*)\\$\\{`, 'g'))) beginnings.add(start as string)
}
/** Names of routes look like keys. */
const routes = new Set(code.flatMap(({ text }) => [...text.matchAll(/(?:name|route): '([\w.-]+)'/g)].map((m) => m[1] as string)))

describe('the words of both languages', () => {
  it('stand in the same files', () => {
    expect(readdirSync(join(LOCALES, 'en')).sort()).toEqual(readdirSync(join(LOCALES, 'zh-CN')).sort())
  })

  it.each(names)('%s has the same keys, texts and placeholders', (name) => {
    const [first, second] = [read('zh-CN', name), read('en', name)]
    expect(Object.keys(second).sort()).toEqual(Object.keys(first).sort())
    for (const [key, text] of [...Object.entries(first), ...Object.entries(second)]) expect(text.trim(), key).not.toBe('')
    const places = (text = '') => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort()
    for (const key of Object.keys(first)) expect(places(second[key]), key).toEqual(places(first[key]))
  })

  it('hold no sign that the translation library reads as its own', () => {
    const odd = names.filter((name) => name !== 'shell' && name !== 'cli').flatMap((name) =>
      ['zh-CN', 'en'].flatMap((locale) => Object.entries(read(locale, name)).filter(([, text]) => /[@|]/.test(text)).map(([key]) => `${locale} ${key}`)),
    )
    expect(odd).toEqual([])
  })
})

describe('the words in the code', () => {
  it('have a text for each key', () => {
    const missing = [...literal].filter(([key]) => !(key in zh) && !routes.has(key) && !Object.keys(zh).some((k) => k.startsWith(`${key}.`)))
    expect(missing).toEqual([])
  })

  it('use each key', () => {
    const unused = Object.keys(zh).filter((key) => !forRust.has(key.split('.')[0] ?? '') && !literal.has(key) && ![...beginnings].some((start) => key.startsWith(start)))
    expect(unused).toEqual([])
  })

  it('have something behind each beginning', () => {
    expect([...beginnings].filter((start) => !Object.keys(zh).some((key) => key.startsWith(start)))).toEqual([])
  })

  it('are never Chinese text', () => {
    const found = code.flatMap(({ path, text }) => text.split('\n').filter((line) => /[\p{Script=Han}，。：；！？（）“”]/u.test(line)).map((line) => `${path}: ${line.trim()}`))
    expect(found).toEqual([])
  })
})
