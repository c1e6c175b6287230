import { describe, expect, it, vi } from 'vitest'
import { mount } from '@vue/test-utils'
import { i18n, t } from '@/app/i18n'
import type { ArchiveFindHit } from '@/bindings/ArchiveFindHit'
import { answerWith } from '../../../tests/core'
import { changes, FIELDS, shown } from './fields'
import { findPatients } from './palette'
import { identity, yuan } from './words'
import EncounterList from './parts/EncounterList.vue'

const hit = (name: string): ArchiveFindHit => ({
  patient_id: name, name, sex: '2', age_years: 47, age_text: null, birth_on: '1979-05-01', mrn: '00012345', phone: '138****8000',
  id_number: null, department: '心血管内科', recent_on: '2026-11-01', matched: 'pinyin', exact: false, deceased: false, contact_optout: 'none',
})

describe('the changes of a form', () => {
  const seen = { name: '王小明', id_number: '110105********002X', hobbies: '下棋' }
  const typed = () => Object.fromEntries(FIELDS.map(({ name, masked }) => [name, masked ? '' : (seen[name as keyof typeof seen] ?? '')]))

  it('are nothing while nobody typed', () => expect(changes(seen, typed())).toEqual([]))

  it('say what was seen, take away what was emptied and keep a mask that was not touched', () => {
    expect(changes(seen, { ...typed(), name: ' 王晓明 ', hobbies: '' })).toEqual([
      { field: 'name', was: '王小明', value: '王晓明' },
      { field: 'hobbies', was: '下棋', value: null },
    ])
  })

  it('replace a masked value only by what was typed', () => {
    expect(changes(seen, { ...typed(), id_number: '11010519491231002X' })).toEqual([
      { field: 'id_number', was: '110105********002X', value: '11010519491231002X' },
    ])
  })
})

describe('words', () => {
  it('say who somebody is', () => {
    expect(identity(t, { sex: '2', age_years: 47 })).toBe('女 · 47 岁')
    expect(identity(t, { sex: '1', age_years: null, age_text: '3月' })).toBe('男 · 3月')
  })

  it("show a code's word and leave the HIS's own words as they are", () => {
    const te = (key: string) => i18n.global.te(key)
    expect(shown(t, te, 'marital', '20')).toBe('已婚')
    expect(shown(t, te, 'marital', '初婚')).toBe('初婚')
    expect(shown(t, te, 'occupation', '20')).toBe('20')
  })

  it('write money', () => expect(yuan(2_058_060)).toBe('20,580.60'))
})

describe('Ctrl+K', () => {
  it('finds patients with what tells them apart, and asks nothing for nothing', async () => {
    const calls = answerWith({ archive_find: () => ({ hits: [hit('王小明')], more: false }) })
    expect(await findPatients('  ')).toEqual([])
    const [item] = await findPatients('wxm')
    expect(item).toMatchObject({ title: '王小明', detail: '女 · 47 岁 · 00012345 · 138****8000 · 心血管内科' })
    expect(calls).toEqual([['archive_find', { query: 'wxm', limit: 8 }]])
  })
})

describe('the list of encounters', () => {
  it('fetches the rest on demand', async () => {
    const stay = (id: string) => ({
      id, kind: 'inpatient', visit_no: id, visit_count: 1, department: '骨科', ward: null, bed: null, admitted_at: '2026-10-01 08:00', discharged_at: '2026-10-09 10:00',
      discharged_on: '2026-10-09', length_of_stay_days: 8, diagnosis_code: null, diagnosis: '骨折', other_diagnoses: [], surgery: null, surgery_on: null, delivery_on: null,
      doctor: null, nurse: null, disposition: '1', admit_route: null, pay_mode: null, total_fee_fen: 100, next_visit_on: null,
    })
    const calls = answerWith({ archive_encounters: () => ({ encounters: [stay('ZY1')], count: 2 }) })
    const record = { id: 'p', encounters: [stay('ZY2')], encounter_count: 2 } as never
    const list = mount(EncounterList, { props: { record } })
    expect(list.text()).toContain('医嘱离院')
    await list.find('button').trigger('click')
    await vi.waitFor(() => expect(list.text()).toContain('ZY1'))
    expect(calls).toEqual([['archive_encounters', { patient_id: 'p', skip: 1, limit: 50 }]])
    expect(list.find('button').exists()).toBe(false)
  })
})
