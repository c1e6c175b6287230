import { flushPromises, mount } from '@vue/test-utils'
import { h } from 'vue'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { BackendError } from '@/backend'
import FormField from '@/shared/form/FormField.vue'
import ErrorNotice from './ErrorNotice.vue'
import ProgressPanel from './ProgressPanel.vue'
import UndoToast from './UndoToast.vue'
import { errorText, fieldText, onlyFields } from './errorText'
import { say, toasts, TOAST_MS } from './undo'

const refused = new BackendError('internal', {}, 'trace-7', [{ field: 'phones.0.number', code: 'internal', params: {} }])

describe('errors in words', () => {
  it('never show a bare code', () => {
    expect(errorText(new BackendError('a_code_of_tomorrow'))).toBe(errorText(new Error('x')))
    expect(errorText(new BackendError('unreachable'))).toContain('重新打开')
  })

  it('stand beside their field', () => {
    expect(fieldText(refused, 'phones.0.number')).not.toBe('')
    expect(fieldText(refused, 'phones.1.number')).toBe('')
    expect([onlyFields(refused, ['phones.0.number']), onlyFields(refused, [])]).toEqual([true, false])
    const field = mount(FormField, {
      props: { label: '电话', name: 'phones.0.number', error: refused },
      slots: { default: ({ id, describedby }: { id: string; describedby: string | undefined }) => h('input', { id, 'aria-describedby': describedby }) },
    })
    const input = field.get('input')
    expect(field.get('label').attributes('for')).toBe(input.attributes('id'))
    expect(field.get(`#${CSS.escape(input.attributes('aria-describedby') ?? '')}`).text()).toBe(fieldText(refused, 'phones.0.number'))
  })

  it('name the trace, for the report to IT', () => {
    expect(mount(ErrorNotice, { props: { error: refused } }).text()).toContain('trace-7')
    expect(mount(ErrorNotice, { props: { error: undefined } }).find('[role=alert]').exists()).toBe(false)
  })
})

describe('undo', () => {
  afterEach(() => {
    toasts.splice(0)
    vi.useRealTimers()
  })

  it('takes the act back once and goes', async () => {
    const undo = vi.fn(async () => undefined)
    const shown = mount(UndoToast)
    say('已删除', undo)
    await flushPromises()
    await shown.get('.undo').trigger('click')
    await flushPromises()
    expect(undo).toHaveBeenCalledOnce()
    expect(toasts).toHaveLength(0)
  })

  it('says why it could not', async () => {
    const shown = mount(UndoToast)
    say('已删除', () => Promise.reject(refused))
    await flushPromises()
    await shown.get('.undo').trigger('click')
    await flushPromises()
    expect(toasts.map((toast) => toast.text)).toEqual([errorText(refused)])
  })

  it('goes by itself, and never piles up', () => {
    vi.useFakeTimers()
    for (const text of ['a', 'b', 'c', 'd']) say(text)
    expect(toasts.map((toast) => toast.text)).toEqual(['b', 'c', 'd'])
    vi.advanceTimersByTime(TOAST_MS)
    expect(toasts).toHaveLength(0)
  })
})

describe('progress', () => {
  it('shows how far it is and can be stopped', async () => {
    const panel = mount(ProgressPanel, { props: { title: '导入', done: 500, total: 2000 } })
    expect(panel.get('[role=progressbar]').attributes('aria-valuenow')).toBe('25')
    expect(panel.text()).toContain('500 / 2,000（25%）')
    await panel.get('button').trigger('click')
    expect(panel.emitted('cancel')).toHaveLength(1)
  })

  it('admits when the end is not known', () => {
    const bar = mount(ProgressPanel, { props: { title: '导入', done: 500, total: null } }).get('[role=progressbar]')
    expect(bar.attributes('aria-valuenow')).toBeUndefined()
  })
})
