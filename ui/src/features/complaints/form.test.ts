import { expect, it } from 'vitest'
import { filled, freshForm } from './form'

it('a phrase says number and deadline', () => {
  expect(filled('{number} by {due}.', '2026-7K3F-00012', '23 Nov 2026')).toBe('2026-7K3F-00012 by 23 Nov 2026.')
})

it('a fresh form is never shared', () => {
  const [one, other] = [freshForm(), freshForm()]
  one.departments.push('x')
  expect(other.departments).toEqual([])
})
