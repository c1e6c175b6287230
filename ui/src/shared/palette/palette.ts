import type { Component } from 'vue'

/** One thing that Ctrl+K found. */
export interface PaletteItem {
  /** Unique within its provider. */
  id: string
  title: string
  /** A second, quieter line: number, department, date. */
  detail?: string
  icon?: Component
  /** A key that does the same. */
  keys?: string
  run: () => void
}

/** A source of things to find. */
export interface PaletteProvider {
  id: string
  /** Locale key of the group's heading. */
  title: string
  /** Lower stands higher. */
  order: number
  /** Called as the person types; the signal ends a search that has been overtaken. */
  search: (query: string, signal: AbortSignal) => Promise<PaletteItem[]> | PaletteItem[]
}

export interface PaletteGroup {
  provider: PaletteProvider
  items: PaletteItem[]
}

/** Asks every provider; one that fails leaves the others' answers standing. */
export async function searchAll(providers: PaletteProvider[], query: string, signal: AbortSignal): Promise<PaletteGroup[]> {
  const ordered = [...providers].sort((a, b) => a.order - b.order)
  const answers = await Promise.allSettled(ordered.map(async (provider) => provider.search(query, signal)))
  return ordered.flatMap((provider, index) => {
    const answer = answers[index]
    return answer?.status === 'fulfilled' && answer.value.length > 0 ? [{ provider, items: answer.value }] : []
  })
}
