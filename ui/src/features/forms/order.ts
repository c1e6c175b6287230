import { ref, type Ref } from 'vue'

/** Puts the entry at `from` to `to`. */
export function moveEntry<Item>(items: Item[], from: number, to: number): void {
  if (from === to || to < 0 || to >= items.length) return
  const [item] = items.splice(from, 1)
  if (item !== undefined) items.splice(to, 0, item)
}

/** Entries that are dragged to their place, or moved with Alt and the arrow keys. `moved` is told the new place. */
export function useOrder<Item>(items: Ref<Item[]>, moved: (to: number, keyboard: boolean) => void) {
  const dragged = ref<number | null>(null)
  const over = ref<number | null>(null)

  function move(from: number, to: number, keyboard: boolean) {
    if (to < 0 || to >= items.value.length) return
    moveEntry(items.value, from, to)
    moved(to, keyboard)
  }

  return {
    over,
    move,
    /** What an entry at a place listens to. */
    entry: (index: number) => ({
      draggable: true,
      onDragstart: (event: DragEvent) => {
        dragged.value = index
        event.dataTransfer?.setData('text/plain', String(index))
      },
      onDragover: (event: DragEvent) => {
        if (dragged.value === null) return
        event.preventDefault()
        over.value = index
      },
      onDrop: (event: DragEvent) => {
        event.preventDefault()
        if (dragged.value !== null) move(dragged.value, index, false)
        dragged.value = over.value = null
      },
      onDragend: () => { dragged.value = over.value = null },
      onKeydown: (event: KeyboardEvent) => {
        const step = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0
        if (!event.altKey || step === 0) return
        event.preventDefault()
        move(index, index + step, true)
      },
    }),
  }
}
