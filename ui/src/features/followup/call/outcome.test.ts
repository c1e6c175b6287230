import { describe, expect, it } from 'vitest'
import type { FollowupReason } from '@/bindings/FollowupReason'
import { isPlain, lacking, pageAfter, reasonsOn } from './outcome'

const reason = (code: string, more: Partial<FollowupReason> = {}): FollowupReason => ({ code, name: { zh: code, en: code }, asks_time: false, asks_remark: false, grave: false, ...more })
const all = Array.from({ length: 14 }, (_, i) => reason(`R${i}`))

describe('the keys of the outcome', () => {
  it('hold nine reasons each, and turn round', () => {
    expect(reasonsOn(all, 0).map((one) => one.code)).toEqual(['R0', 'R1', 'R2', 'R3', 'R4', 'R5', 'R6', 'R7', 'R8'])
    expect(reasonsOn(all, 1)).toHaveLength(5)
    expect([pageAfter(all, 0), pageAfter(all, 1), pageAfter(all.slice(0, 9), 0)]).toEqual([1, 0, 0])
  })

  it('save at once only what needs nothing more', () => {
    expect(isPlain(reason('NOANS'))).toBe(true)
    expect([reason('a', { asks_time: true }), reason('b', { asks_remark: true }), reason('c', { grave: true })].some(isPlain)).toBe(false)
  })

  it('say what is lacking: a remark, or a second look at what cannot be taken back', () => {
    const nothing = { remark: ' ', appointment_at: null, confirmed: false }
    expect(lacking(reason('OTHER', { asks_remark: true }), nothing)).toBe('remark')
    expect(lacking(reason('DEAD', { grave: true }), nothing)).toBe('confirm')
    expect(lacking(reason('DEAD', { grave: true }), { ...nothing, confirmed: true })).toBeNull()
    expect(lacking(reason('NOTCONV', { asks_time: true }), nothing)).toBeNull()
  })
})
