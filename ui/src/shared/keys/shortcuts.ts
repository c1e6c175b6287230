import { computed, onScopeDispose, shallowReactive } from 'vue'

/** One key and what it does. */
export interface Shortcut {
  /** `F2`, `Ctrl+Enter`, `Alt+1`, `1`, `ArrowDown`, `?`. Ctrl means Command on a Mac. */
  keys: string
  /** Locale key that says what it does, for the F1 overview. */
  label: string
  run: (event: KeyboardEvent) => void
  /** The key is dead while this answers false. */
  when?: () => boolean
  /** Letters, digits, arrows and Enter stay with the input that has the focus unless this is true. */
  inInput?: boolean
  /** Works on every page; shown in its own group. */
  everywhere?: boolean
}

interface Layer {
  shortcuts: Shortcut[]
  /** Keys below a modal layer sleep, those that work everywhere too. */
  modal: () => boolean
}

const layers = shallowReactive<Layer[]>([])

const ALIASES: Record<string, string> = { esc: 'escape', return: 'enter', space: ' ', up: 'arrowup', down: 'arrowdown', left: 'arrowleft', right: 'arrowright' }

/** Brings `Ctrl+Enter` and a key event to the same form: `ctrl+enter`. */
export function normalise(keys: string): string {
  const parts = keys.toLowerCase().split('+').map((part) => part.trim())
  const last = parts.pop() ?? ''
  const key = ALIASES[last] ?? last
  const modifiers = ['ctrl', 'alt', 'shift'].filter((name) => parts.includes(name))
  return [...modifiers, key].join('+')
}

function pressed(event: KeyboardEvent): string {
  const key = event.key.toLowerCase()
  const modifiers = []
  if (event.ctrlKey || event.metaKey) modifiers.push('ctrl')
  if (event.altKey) modifiers.push('alt')
  // Shift is part of the character for `?` and capitals; it counts for named keys only.
  if (event.shiftKey && key.length > 1) modifiers.push('shift')
  return [...modifiers, key].join('+')
}

const EDITING = new Set(['enter', 'arrowup', 'arrowdown', 'arrowleft', 'arrowright', 'home', 'end', 'pageup', 'pagedown', 'backspace', 'delete', 'tab'])
const NOT_TEXT = new Set(['checkbox', 'radio', 'button', 'submit'])

/** A key without modifiers that the focused element needs for itself. */
function belongsToFocus(name: string, target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  const types =
    target.isContentEditable ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLInputElement && !NOT_TEXT.has(target.type))
  if (types) return name.length === 1 || EDITING.has(name)
  const presses = target.closest('button, a[href], summary, [role="button"], [role="option"], [role="tab"], [role="menuitem"]')
  return presses !== null && (name === 'enter' || name === ' ')
}

function awake(): Shortcut[] {
  const from = layers.map((layer) => layer.modal()).lastIndexOf(true)
  return layers
    .slice(Math.max(from, 0))
    .reverse()
    .flatMap((layer) => layer.shortcuts)
}

/** Runs the newest matching shortcut. True when there was one. */
export function handleKey(event: KeyboardEvent): boolean {
  // An input method is composing: its keys are not ours.
  if (event.isComposing || event.keyCode === 229) return false
  const name = pressed(event)
  const kept = belongsToFocus(name, event.target)
  const found = awake().find(
    (shortcut) =>
      normalise(shortcut.keys) === name &&
      (shortcut.when?.() ?? true) &&
      (!kept || shortcut.inInput === true),
  )
  if (!found) return false
  event.preventDefault()
  event.stopPropagation()
  found.run(event)
  return true
}

/** Adds keys for as long as the component lives. The newest layer wins; while it is modal, those below sleep. */
export function useShortcuts(shortcuts: Shortcut[], options: { modal?: () => boolean } = {}): void {
  const layer: Layer = { shortcuts, modal: options.modal ?? (() => false) }
  layers.push(layer)
  onScopeDispose(() => void layers.splice(layers.indexOf(layer), 1))
}

/** Keys that work now, for the overview: first this page's, then those of every page. */
export const activeShortcuts = computed(() => {
  const seen = new Set<string>()
  const shown = awake().filter((shortcut) => {
    const name = normalise(shortcut.keys)
    if (seen.has(name) || !(shortcut.when?.() ?? true)) return false
    seen.add(name)
    return true
  })
  return { page: shown.filter((s) => !s.everywhere), everywhere: shown.filter((s) => s.everywhere) }
})

/** Starts listening; capture, so that a focused widget does not swallow a function key. */
export function startShortcuts(): void {
  window.addEventListener('keydown', (event) => void handleKey(event), { capture: true })
}
