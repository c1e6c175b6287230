import { afterEach, describe, expect, it, vi } from 'vitest'
import { effectScope } from 'vue'
import { activeShortcuts, handleKey, normalise, useShortcuts, type Shortcut } from './shortcuts'

const scopes: ReturnType<typeof effectScope>[] = []
function using(shortcuts: Shortcut[], modal?: () => boolean) {
  const scope = effectScope()
  scope.run(() => useShortcuts(shortcuts, { modal }))
  scopes.push(scope)
  return scope
}
afterEach(() => scopes.splice(0).forEach((scope) => scope.stop()))

function press(key: string, init: KeyboardEventInit = {}, target: HTMLElement = document.body): boolean {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, ...init })
  Object.defineProperty(event, 'target', { value: target })
  return handleKey(event)
}
const label = 'app.key.help'

describe('shortcuts', () => {
  it.each([['Ctrl+Enter', 'ctrl+enter'], ['shift+alt+Up', 'alt+shift+arrowup'], ['Esc', 'escape'], ['?', '?']])('reads %s', (written, read) => {
    expect(normalise(written)).toBe(read)
  })

  it('lets the newest layer win and gives the key back after it', () => {
    const shell = vi.fn()
    const page = vi.fn()
    using([{ keys: 'F2', label, run: shell }])
    const scope = using([{ keys: 'F2', label, run: page }])
    press('F2')
    scope.stop()
    press('F2')
    expect([page.mock.calls.length, shell.mock.calls.length]).toEqual([1, 1])
  })

  it('leaves letters, digits, arrows and Enter to the input that has the focus', () => {
    const run = vi.fn()
    using(['1', 'Enter', 'ArrowDown', 'F2', 'Ctrl+Enter', 'Escape'].map((keys) => ({ keys, label, run })))
    const input = document.createElement('textarea')
    expect([press('1', {}, input), press('Enter', {}, input), press('ArrowDown', {}, input)]).toEqual([false, false, false])
    expect([press('F2', {}, input), press('Enter', { ctrlKey: true }, input), press('Escape', {}, input)]).toEqual([true, true, true])
    expect(press('1')).toBe(true)
  })

  it('lets Enter press a focused button, but not move the list under it', () => {
    const run = vi.fn()
    using([{ keys: 'Enter', label, run }, { keys: '2', label, run }])
    const button = document.createElement('button')
    expect(press('Enter', {}, button)).toBe(false)
    expect(press('2', {}, button)).toBe(true)
  })

  it('keeps out of an input method', () => {
    const run = vi.fn()
    using([{ keys: '1', label, run }])
    expect(press('1', { isComposing: true })).toBe(false)
  })

  it('sleeps under a modal layer, and lists only what is awake', () => {
    let open = false
    using([{ keys: 'Ctrl+L', label, run: vi.fn(), everywhere: true }, { keys: 'F2', label, run: vi.fn() }, { keys: 'F3', label, run: vi.fn(), when: () => false }])
    expect(activeShortcuts.value.page.map((s) => s.keys)).toEqual(['F2'])
    expect(activeShortcuts.value.everywhere.map((s) => s.keys)).toEqual(['Ctrl+L'])
    using([], () => open)
    expect(press('F2')).toBe(true)
    open = true
    expect(press('F2')).toBe(false)
  })
})
