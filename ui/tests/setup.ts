import { config } from '@vue/test-utils'
import { afterEach, beforeEach } from 'vitest'
import { i18n, setLocale } from '@/app/i18n'
import { queryClient } from '@/app/query'
import { VueQueryPlugin } from '@tanstack/vue-query'
import { openChannel } from './core'

openChannel()

config.global.plugins = [i18n, [VueQueryPlugin, { queryClient }]]
config.global.stubs = { RouterLink: { template: '<a><slot /></a>' } }

beforeEach(async () => {
  await setLocale('zh-CN')
  queryClient.clear()
})
afterEach(() => {
  document.body.innerHTML = ''
})
