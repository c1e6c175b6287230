import { describe, expect, it } from 'vitest'
import { readFilter, writeFilter } from './filters'

describe('the kept part of the list', () => {
  it.each(['all', 'mine', 'flagged', 'level:red', 'plan:heart_failure', 'department:心内科'])('%s comes back as it was', (word) => expect(writeFilter(readFilter(word))).toBe(word))
  it.each([undefined, null, '', 'nonsense', 'level:blue', 'plan:', ['mine']])('%s is the whole list', (word) => expect(readFilter(word)).toEqual({ kind: 'all' }))
})
