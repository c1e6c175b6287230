import { describe, expect, it } from 'vitest'
import { hospitalInstant, offers, readWhen, type WhenWords } from './appointment'

const words: WhenWords = {
  today: ['今天', 'today'], tomorrow: ['明天', '明日', 'tomorrow'], dayAfter: ['后天'], morning: ['上午', '早上'], afternoon: ['下午'], evening: ['晚上'],
  nextWeek: ['下'], weekdays: [['周一', '星期一'], ['周二'], ['周三'], ['周四'], ['周五'], ['周六'], ['周日']], hour: ['点', '时'], half: ['半'],
}
// A Monday.
const now = hospitalInstant('2026-11-16', '10:00')
const read = (text: string) => {
  const at = readWhen(text, now, words)
  return at === null ? null : new Date(at + 8 * 3_600_000).toISOString().slice(0, 16).replace('T', ' ')
}

describe('an agreed time', () => {
  it.each([
    ['明天 9:30', '2026-11-17 09:30'], ['明天9点半', '2026-11-17 09:30'], ['后天下午3点', '2026-11-18 15:00'], ['15:20', '2026-11-16 15:20'],
    ['9:30', '2026-11-17 09:30'], ['明天', '2026-11-17 09:00'], ['明天晚上', '2026-11-17 18:30'], ['下午', '2026-11-16 14:30'], ['周四 1030', '2026-11-19 10:30'],
    ['下周一 9点', '2026-11-23 09:00'], ['11-25 930', '2026-11-25 09:30'], ['2026-12-01 14:00', '2026-12-01 14:00'], ['１-５ ９：００', '2027-01-05 09:00'],
    ['tomorrow 16', '2026-11-17 16:00'],
  ])('%s', (text, at) => expect(read(text)).toBe(at))

  it.each(['', 'x', '今天 9:00', '明天 25:00', '明天 9:75', '13-40 9:00'])('"%s" is none', (text) => expect(read(text)).toBeNull())

  it('offers only times that lie ahead', () => {
    expect(offers(now).length).toBe(6)
    expect(offers(now).every((at) => at > now)).toBe(true)
  })
})
