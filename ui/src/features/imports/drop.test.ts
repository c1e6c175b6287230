import { flushPromises, mount } from '@vue/test-utils'
import { createMemoryHistory, createRouter } from 'vue-router'
import { expect, it } from 'vitest'
import { answerWith, Refusal, tell } from '../../../tests/core'
import ImportPage from './pages/ImportPage.vue'

it('looks at a file that is dropped on the window, as if it had been picked', async () => {
  const calls = answerWith({
    imports_batches: () => ({ batches: [] }),
    imports_profiles: () => ({ profiles: [] }),
    imports_inspect: () => { throw new Refusal('file_not_a_table') },
  })
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/', component: ImportPage }] })
  const page = mount(ImportPage, { global: { plugins: [router] } })
  await flushPromises()
  tell('dragging', { over: true })
  await flushPromises()
  expect(page.get('[data-test=flow]').classes()).toContain('dragging')
  tell('dragging', { over: false })
  tell('dropped', { paths: ['D:\\HIS\\出院患者.csv', 'D:\\HIS\\另一个.csv'] })
  await flushPromises()
  expect(page.get('[data-test=flow]').classes()).not.toContain('dragging')
  expect(calls.filter(([name]) => name === 'imports_inspect')).toEqual([['imports_inspect', { path: 'D:\\HIS\\出院患者.csv', sheet: null, profile: null }]])
  page.unmount()
  tell('dropped', { paths: ['D:\\later.csv'] })
  await flushPromises()
  expect(calls.filter(([name]) => name === 'imports_inspect')).toHaveLength(1)
})
