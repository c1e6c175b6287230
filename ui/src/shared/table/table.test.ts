import { mount } from '@vue/test-utils'
import { nextTick } from 'vue'
import { describe, expect, it } from 'vitest'
import DataTable from './DataTable.vue'
import { visibleRange, type Column } from './columns'

interface Row {
  id: number
  name: string
}
const columns: Column<Row>[] = [
  { key: 'id', title: 'No', width: '80px', text: (row) => row.id, sortable: true },
  { key: 'name', title: 'Name', width: '1fr', text: (row) => row.name },
]
const rows = (count: number): Row[] => Array.from({ length: count }, (_, id) => ({ id, name: `patient ${id}` }))
const table = (count: number) => mount(DataTable<Row>, { props: { columns, rows: rows(count), rowKey: (row: Row) => row.id, label: 'patients' }, attachTo: document.body })

describe('the rows in sight', () => {
  it.each([
    [0, 340, 1000, [0, 18]],
    [3400, 340, 1000, [92, 118]],
    [99_999, 340, 10, [10, 10]],
    [0, 340, 0, [0, 0]],
  ] as const)('at %d px of a %d px window on %d rows', (top, height, count, range) => {
    expect(visibleRange(top, height, 34, count)).toEqual(range)
  })
})

describe('a table', () => {
  it('builds few rows of a long list and tells how many there are', () => {
    const shown = table(10_000)
    expect(shown.findAll('[role=row]').length).toBeLessThan(60)
    expect(shown.get('[role=grid]').attributes('aria-rowcount')).toBe('10001')
  })

  it('is walked and opened by keys', async () => {
    const shown = table(50)
    const grid = shown.get('[role=grid]')
    await grid.trigger('keydown', { key: 'Home' })
    await shown.setProps({ current: 0 })
    await grid.trigger('keydown', { key: 'ArrowDown' })
    expect(shown.emitted('update:current')?.at(-1)).toEqual([1])
    await shown.setProps({ current: 1 })
    await nextTick()
    expect(shown.get('[aria-selected=true]').text()).toContain('patient 1')
    await grid.trigger('keydown', { key: 'Enter' })
    expect(shown.emitted('open')).toEqual([[{ id: 1, name: 'patient 1' }]])
  })

  it('asks for another order, and for the other direction the second time', async () => {
    const shown = table(3)
    await shown.get('button').trigger('click')
    await shown.setProps({ sorting: { key: 'id', descending: false } })
    await shown.get('button').trigger('click')
    expect(shown.emitted('sort')).toEqual([[{ key: 'id', descending: false }], [{ key: 'id', descending: true }]])
  })
})
