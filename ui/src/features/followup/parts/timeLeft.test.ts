import { expect, it } from 'vitest'
import { timeLeft } from './timeLeft'

const minute = 60_000
it.each([
  [25, { over: false, unit: 'minutes', count: 25 }], [-5, { over: true, unit: 'minutes', count: 5 }], [60 * 5, { over: false, unit: 'hours', count: 5 }],
  [-60 * 24 * 3, { over: true, unit: 'days', count: 3 }],
])('%s minutes', (minutes, said) => expect(timeLeft(minutes * minute, 0)).toEqual(said))
