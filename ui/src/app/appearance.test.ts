import { describe, expect, it } from 'vitest'
import { readAppearance } from './appearance'

const standard = { locale: 'zh-CN', theme: 'auto', scale: 100, navCollapsed: false }

describe('the stored appearance', () => {
  it.each([null, '', 'null', '[]', 'not json', '{"locale":"fr","theme":7,"scale":900,"navCollapsed":"yes"}'])('takes %s for nothing chosen', (stored) => {
    expect(readAppearance(stored)).toEqual(standard)
  })

  it('comes back as chosen', () => {
    const chosen = { locale: 'en', theme: 'dark', scale: 125, navCollapsed: true }
    expect(readAppearance(JSON.stringify(chosen))).toEqual(chosen)
  })
})
