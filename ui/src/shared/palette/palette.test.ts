import { mount } from '@vue/test-utils'
import { describe, expect, it, vi } from 'vitest'
import { flushPromises } from '@vue/test-utils'
import CommandPalette from './CommandPalette.vue'
import { searchAll, type PaletteProvider } from './palette'

const run = vi.fn()
const pages: PaletteProvider = {
  id: 'pages', title: 'app.palette.pages', order: 50,
  search: (query) => ['worklist', 'archive'].filter((name) => name.includes(query)).map((id) => ({ id, title: id, run: () => run(id) })),
}
const broken: PaletteProvider = { id: 'broken', title: 'app.palette.acts', order: 1, search: () => Promise.reject(new Error('no')) }

describe('the palette', () => {
  it('shows groups in their order and survives a broken one', async () => {
    const first = { ...pages, id: 'first', order: 2 }
    const groups = await searchAll([pages, broken, first], '', new AbortController().signal)
    expect(groups.map((group) => group.provider.id)).toEqual(['first', 'pages'])
  })

  it('is worked by keys alone', async () => {
    const palette = mount(CommandPalette, { props: { modelValue: true, providers: [pages] }, attachTo: document.body, global: { stubs: { ElDialog: { template: '<div><slot /></div>' } } } })
    await flushPromises()
    const input = palette.get('input')
    expect(palette.findAll('[role=option]').map((o) => o.attributes('aria-selected'))).toEqual(['true', 'false'])
    await input.trigger('keydown', { key: 'ArrowDown' })
    expect(palette.findAll('[role=option]').map((o) => o.attributes('aria-selected'))).toEqual(['false', 'true'])
    await input.trigger('keydown', { key: 'Enter' })
    expect(run).toHaveBeenCalledWith('archive')
    expect(palette.emitted('update:modelValue')).toEqual([[false]])
  })

  it('shows the answer to the last letters, even when an earlier one comes later', async () => {
    const answers: Record<string, (items: { id: string; title: string; run: () => void }[]) => void> = {}
    const slow: PaletteProvider = { id: 'slow', title: 'app.palette.pages', order: 1, search: (query) => new Promise((resolve) => (answers[query] = resolve)) }
    const palette = mount(CommandPalette, { props: { modelValue: true, providers: [slow] }, global: { stubs: { ElDialog: { template: '<div><slot /></div>' } } } })
    await palette.get('input').setValue('w')
    await palette.get('input').setValue('wf')
    answers.wf?.([{ id: 'late', title: '王芳', run }])
    await flushPromises()
    answers.w?.([{ id: 'early', title: '王伟', run }])
    await flushPromises()
    expect(palette.findAll('[role=option]').map((o) => o.text())).toEqual(['王芳'])
  })
})
