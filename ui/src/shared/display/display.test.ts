import { mount, flushPromises } from '@vue/test-utils'
import { afterEach, describe, expect, it, vi } from 'vitest'
import AlertLevel from './AlertLevel.vue'
import DateText from './DateText.vue'
import MaskedValue from './MaskedValue.vue'
import StatNumber from './StatNumber.vue'
import { dayOf, daysFrom, writeDate } from './dates'
import { toasts } from '../feedback/undo'
import { BackendError } from '@/backend'

describe('dates', () => {
  it('reads days as days, and instants by the hospital\'s clock', () => {
    expect(dayOf('2026-03-01')).toBe('2026-03-01')
    expect(dayOf('2026-03-01T23:59')).toBe('2026-03-01')
    expect(dayOf('2026-03-01T16:00:00Z')).toBe('2026-03-02')
    expect(dayOf(Date.parse('2026-03-01T15:59:59Z'))).toBe('2026-03-01')
    expect(dayOf('31 Feb maybe')).toBeNull()
  })

  it('writes them as people do', () => {
    expect(writeDate('2026-11-22', 'zh-CN')).toBe('2026年11月22日')
    expect(writeDate('2026-11-22', 'en')).toBe('22 Nov 2026')
    expect(writeDate('2026-11-22', 'zh-CN', 'short')).toBe('11月22日')
    expect(writeDate('2026-11-22T01:05:00Z', 'zh-CN', 'minute')).toBe('2026年11月22日 09:05')
    expect(writeDate('2026-11-22 00:05', 'en', 'time')).toBe('00:05')
    expect(writeDate('unknown', 'zh-CN')).toBe('unknown')
  })

  it('counts days over months, leap days and changes of the clock', () => {
    expect([daysFrom('2028-03-01', '2028-02-28'), daysFrom('2026-03-30', '2026-03-28'), daysFrom('2025-12-31', '2026-01-01')]).toEqual([2, 2, -1])
  })

  it.each([['2026-11-22', '今天'], ['2026-11-23', '明天'], ['2026-11-19', '3 天前'], ['2027-11-22', '2027年11月22日']])('says %s as %s', (value, said) => {
    expect(mount(DateText, { props: { value, today: '2026-11-22' } }).text()).toBe(said)
  })
})

describe('an alert', () => {
  it.each([['red', '红色'], ['orange', '橙色'], ['yellow', '黄色']] as const)('%s is a word and a shape too', (level, word) => {
    const badge = mount(AlertLevel, { props: { level } })
    expect(badge.text()).toBe(word)
    expect(badge.find('svg').exists()).toBe(true)
  })
})

describe('a masked value', () => {
  afterEach(() => vi.useRealTimers())

  it('is shown on request and hides itself again', async () => {
    vi.useFakeTimers()
    const reveal = vi.fn(async () => '13800001234')
    const phone = mount(MaskedValue, { props: { masked: '138****1234', label: '电话', reveal } })
    expect(phone.text()).toBe('138****1234')
    await phone.get('button').trigger('click')
    await vi.advanceTimersByTimeAsync(10)
    expect(phone.text()).toBe('13800001234')
    await vi.advanceTimersByTimeAsync(30_000)
    expect(phone.text()).toBe('138****1234')
    expect(reveal).toHaveBeenCalledOnce()
  })

  it('belongs to its patient: another one is masked', async () => {
    const phone = mount(MaskedValue, { props: { masked: '138****1234', label: '电话', reveal: async () => '13800001234' } })
    await phone.get('button').trigger('click')
    await flushPromises()
    await phone.setProps({ masked: '139****0000' })
    expect(phone.text()).toBe('139****0000')
  })

  it('says why it was refused', async () => {
    const phone = mount(MaskedValue, { props: { masked: '138****1234', label: '电话', reveal: () => Promise.reject(new BackendError('internal')) } })
    await phone.get('button').trigger('click')
    await flushPromises()
    expect(phone.text()).toBe('138****1234')
    expect(toasts.at(-1)?.text).toContain('再试一次')
  })
})

describe('a figure', () => {
  it('shows numerator and denominator', () => {
    const text = mount(StatNumber, { props: { label: '随访率', count: 1234, of: 2000 } }).text()
    expect(text).toContain('61.7%')
    expect(text).toContain('1,234 / 2,000')
  })

  it('has no ratio of nothing', () => {
    expect(mount(StatNumber, { props: { label: '随访率', count: 0, of: 0 } }).text()).toContain('—')
  })
})
