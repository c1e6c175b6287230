import { describe, expect, it } from 'vitest'
import { details } from './audit'
import { dialAddress, spanOf, spanText } from './dial'
import { changed, type Settings } from './form'
import { holidaysOf, missingYear } from './holidays'
import { clash, formOf, passwordFrom, ROLES } from './people'

const settings: Settings = {
  idle_seconds: 300, password_policy: { min_length: 8, min_kinds: 1, max_age_days: 0 }, hospital_phone: '', area_code: '', dial_template: 'tel:{number}', dial_prefix: '',
  calling_hours: ['09:00-12:00'], calling_limits: '08:00-20:00', call_on_days_off: false, max_attempts: 3, min_gap_minutes: 120, export_max_rows: 200_000,
} as Settings

describe('the settings form', () => {
  it('sends what was changed here, so that a colleague’s change stays', () => {
    expect(changed(settings, { ...settings, max_attempts: 5, calling_hours: ['09:00-12:00'] })).toEqual({ max_attempts: 5 })
    expect(changed(settings, { ...settings, calling_hours: ['09:00-12:00', '14:00-17:00'] })).toEqual({ calling_hours: ['09:00-12:00', '14:00-17:00'] })
  })

  it('shows what dialling opens, the prefix before the number', () => {
    expect(dialAddress('sip:{number}@pbx', '9,', '13800000000')).toBe('sip:9,13800000000@pbx')
  })

  it('takes hours apart and together', () => {
    expect(spanText(spanOf('09:00-12:00'))).toBe('09:00-12:00')
    expect(spanOf('always')).toEqual(['', ''])
  })
})

describe('people', () => {
  it('may be any role but administrator and auditor at once', () => {
    expect([clash(['administrator', 'auditor', 'nurse']), clash(['administrator', 'supervisor']), clash([])]).toEqual([true, false, false])
    expect(new Set(ROLES).size).toBe(9)
  })

  it('begin as nurses, and keep their login', () => {
    expect(formOf(null)).toMatchObject({ id: null, roles: ['nurse'], active: true })
    const member = { id: 'b', login: 'bob', display_name: 'Bob', job_number: '7', department: '', roles: ['doctor' as const], active: false }
    const form = formOf(member)
    form.roles.push('nurse')
    expect(member.roles).toEqual(['doctor'])
    expect(form).toMatchObject({ id: 'b', login: 'bob', active: false, password: null })
  })

  it('get passwords long enough for the policy, of every kind, in groups that can be read out', () => {
    const made = passwordFrom(Uint8Array.from({ length: 64 }, (_, index) => index * 37), 8)
    expect(made).toMatch(/^[A-Za-z0-9]{4}-[A-Za-z0-9]{4}-[A-Za-z0-9]{4}$/)
    expect([/[A-Z]/, /[a-z]/, /[0-9]/, /-/].every((kind) => kind.test(made))).toBe(true)
    expect(passwordFrom(new Uint8Array(64), 30).length).toBeGreaterThanOrEqual(30)
    expect(made).not.toMatch(/[0O1lI]/)
  })
})

describe('holidays', () => {
  const day = (on: string, name: string, off = true) => ({ on, name, off })

  it('are told as one span with the weekend days worked for it', () => {
    const year = { year: 2027, imported: true, days: [day('2027-02-06', '春节'), day('2027-02-20', '春节', false), day('2027-02-05', '春节'), day('2027-01-01', '元旦')] }
    expect(holidaysOf(year)).toEqual([
      { name: '元旦', from: '2027-01-01', to: '2027-01-01', off: 1, worked: [] },
      { name: '春节', from: '2027-02-05', to: '2027-02-06', off: 2, worked: ['2027-02-20'] },
    ])
  })

  it('of the next year are missed from November on', () => {
    expect([missingYear(2026, '2026-10-31'), missingYear(2026, '2026-11-01'), missingYear(2027, '2026-12-31'), missingYear(2026, '2027-01-01')]).toEqual([null, 'next_year', null, 'this_year'])
  })
})

describe('the trail', () => {
  it('says its details in a line', () => {
    const word = (code: string) => ({ rows: '行数', false: '否' })[code] ?? code
    expect(details({ rows: 12, reveal: false, reason: '', names: ['a', 'b'], none: null }, word)).toBe('行数 12 · reveal 否 · names a, b')
  })
})
