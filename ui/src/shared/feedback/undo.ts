import { shallowReactive } from 'vue'

/** A finished act that can be taken back for a while. */
export interface Toast {
  id: number
  text: string
  undo?: () => Promise<void> | void
}

/** Long enough to read, to reach for the mouse, and to think. */
export const TOAST_MS = 8_000

export const toasts = shallowReactive<Toast[]>([])
let next = 1

/** Takes a toast away. */
export function dismiss(id: number): void {
  const index = toasts.findIndex((toast) => toast.id === id)
  if (index >= 0) toasts.splice(index, 1)
}

/** Says what happened and, with `undo`, offers to take it back: instead of asking beforehand. */
export function say(text: string, undo?: Toast['undo']): number {
  const id = next++
  toasts.push({ id, text, undo })
  if (toasts.length > 3) toasts.shift()
  setTimeout(() => dismiss(id), TOAST_MS)
  return id
}
