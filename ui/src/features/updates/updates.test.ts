import { flushPromises, mount } from '@vue/test-utils'
import { describe, expect, it } from 'vitest'
import { answerWith } from '../../../tests/core'
import { setLocale } from '@/app/i18n'
import type { UpdatesStatus } from '@/bindings/UpdatesStatus'
import UpdatesPage from './pages/UpdatesPage.vue'

const calm: UpdatesStatus = { version: '0.1.0', possible: true, ready: null, gone_back: null, problem: null, looked_at: Date.parse('2026-11-22T06:00:00Z') }

async function page(status: Partial<UpdatesStatus>) {
  answerWith({ updates_status: () => ({ ...calm, ...status }) })
  const wrapper = mount(UpdatesPage, { global: { stubs: { SettingsTabs: true } } })
  await flushPromises()
  return wrapper
}

describe('the page of updates', () => {
  it('says what comes when the window closes, in the language of the page', async () => {
    const ready = { version: '0.2.0', notes_zh: '更快的工作列表', notes_en: 'A faster worklist' }
    const wrapper = await page({ ready })
    expect(wrapper.text()).toContain('新版本 0.2.0 已准备好')
    expect(wrapper.text()).toContain('更快的工作列表')
    await setLocale('en')
    await flushPromises()
    expect(wrapper.text()).toContain('Version 0.2.0 is ready')
    expect(wrapper.text()).toContain('A faster worklist')
  })

  it('says why a version was not installed, and what to do', async () => {
    const wrapper = await page({ problem: 'update_not_installed' })
    expect(wrapper.text()).toContain('请联系信息科用管理员身份安装')
  })

  it('tells a version that went back', async () => {
    const wrapper = await page({ gone_back: '0.2.0' })
    expect(wrapper.text()).toContain('0.2.0 版无法打开资料')
  })

  it('offers no look where there can be no update', async () => {
    const wrapper = await page({ possible: false })
    expect(wrapper.find('[data-test=updates-look]').exists()).toBe(false)
    expect(wrapper.text()).toContain('更新由信息科安装')
  })
})
