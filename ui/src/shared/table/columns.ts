/** One column of a `DataTable`. Cells come from the slot `cell-<key>` or, without one, from `text`. */
export interface Column<Row> {
  key: string
  /** Heading, already in the user's language. */
  title: string
  /** CSS grid track: `120px`, `minmax(160px, 2fr)`. */
  width: string
  align?: 'start' | 'end' | 'center'
  text?: (row: Row) => string | number | null | undefined
  /** Headings of sortable columns are buttons; the page does the sorting, in the core. */
  sortable?: boolean
}

/** What a sortable table is sorted by. */
export interface Sorting {
  key: string
  descending: boolean
}

/** The slice of rows that has to exist, for a window onto a long list. */
export function visibleRange(scrollTop: number, height: number, rowHeight: number, count: number, spare = 8): [number, number] {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - spare)
  const last = Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + spare)
  return [Math.min(first, last), last]
}
