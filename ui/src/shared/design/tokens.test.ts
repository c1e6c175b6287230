import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const css = readFileSync(join(import.meta.dirname, 'tokens.css'), 'utf8')

function themeOf(name: 'light' | 'dark'): Record<string, string> {
  const block = new RegExp(`\\[data-theme='${name}'\\] \\{([^}]*)\\}`).exec(css)?.[1] ?? ''
  return Object.fromEntries([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map((m) => [m[1], m[2]]))
}

/** WCAG 2 relative luminance. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const c = parseInt(hex.slice(at, at + 2), 16) / 255
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(a: string, b: string): number {
  const [hi, lo] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number]
  return (hi + 0.05) / (lo + 0.05)
}

const SURFACES = ['surface-page', 'surface', 'surface-sunken', 'surface-nav', 'surface-raised', 'surface-hover']

describe.each(['light', 'dark'] as const)('the %s colours', (name) => {
  const theme = themeOf(name)
  const ratio = (text: string, ground: string) => contrast(theme[text] ?? '', theme[ground] ?? '')

  it.each(SURFACES.flatMap((ground) => ['ink', 'ink-soft', 'ink-faint', 'accent'].map((text) => [text, ground] as const)))('%s reads on %s', (text, ground) => {
    expect(ratio(text, ground)).toBeGreaterThanOrEqual(4.5)
  })

  it.each([
    ['on-accent', 'accent'], ['on-accent', 'accent-hover'], ['accent', 'accent-soft'], ['ink', 'accent-soft'], ['ink-soft', 'accent-soft'], ['ink-faint', 'accent-soft'],
    ...['red', 'orange', 'yellow'].flatMap((level) => [[`alert-${level}`, `alert-${level}-soft`], [`alert-${level}`, 'surface'], [`alert-${level}`, 'accent-soft'], ['ink', `alert-${level}-soft`]]),
  ] as [string, string][])('%s reads on %s', (text, ground) => {
    expect(ratio(text, ground)).toBeGreaterThanOrEqual(4.5)
  })

  it.each(['line-strong', 'focus', 'chart-1', 'chart-2', 'chart-3', 'chart-4', 'chart-5', 'chart-6'])('%s stands out from what it lies on', (mark) => {
    for (const ground of ['surface', 'surface-page', 'surface-raised']) expect(ratio(mark, ground)).toBeGreaterThanOrEqual(3)
  })
})
