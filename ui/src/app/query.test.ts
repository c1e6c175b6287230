import { expect, it, vi } from 'vitest'
import { queryClient, startInvalidation } from './query'
import { tell } from '../../tests/core'

it('a change makes the pages of its features ask again, and no others', () => {
  const asked: unknown[] = []
  vi.spyOn(queryClient, 'invalidateQueries').mockImplementation(async (filter) => void asked.push((filter as { queryKey: unknown }).queryKey))
  const stop = startInvalidation()
  tell('changed', { features: ['archive', 'followup'] })
  stop()
  tell('changed', { features: ['staff'] })
  expect(asked).toEqual([['archive'], ['followup']])
})
