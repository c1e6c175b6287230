import { flushPromises, mount } from '@vue/test-utils'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { answerWith, Refusal, tell } from '../../../tests/core'
import { setLocale, t } from '@/app/i18n'
import { acceptStatus } from '@/app/session'
import type { SyncClinicSite } from '@/bindings/SyncClinicSite'
import type { SyncConflict } from '@/bindings/SyncConflict'
import type { SyncRefused } from '@/bindings/SyncRefused'
import type { SyncStatus } from '@/bindings/SyncStatus'
import { toasts } from '@/shared/feedback/undo'
import { completeness, isComplete } from './clinics'
import { isWhole, plainCode, serverMark } from './code'
import SyncPage from './pages/SyncPage.vue'
import SyncFoot from './parts/SyncFoot.vue'
import { job } from './queries'
import { ageOf, footParts, shutdown, stateOf, type SyncState } from './sentence'
import { useTouchedBySync } from './touched'

const MINUTE = 60_000
const NOW = Date.parse('2026-11-22T06:00:00Z')

const calm: SyncStatus = {
  enrolled: true, address: 'https://s:8443', running: false, filling: false, unsent: 0, oldest_unsent_at: null, heard_at: NOW - 2 * MINUTE,
  next_at: NOW + 3 * MINUTE, problem: null, refused: 0, conflicts: 0, unsent_files: 0, fingerprint: null, safe_to_shut_down: true,
  held: false, filled: 0, fill_total: null, patients: 0,
}
const unsent = { unsent: 3, oldest_unsent_at: NOW - 2 * 60 * MINUTE, safe_to_shut_down: false }
const foot = (status: Partial<SyncStatus>) => footParts({ ...calm, ...status }, NOW, t, () => '14:05').join(' / ')

function signIn(permissions: string[]) {
  acceptStatus({
    state: 'open', hospital: 'H', site: 'S', password_due: null, idle_seconds: 300, app_version: '0',
    user: { id: 'u1', login: 'alice', display_name: 'Alice', roles: [], permissions },
  } as never)
}

describe('the clinics', () => {
  const site = (more: Partial<SyncClinicSite>): SyncClinicSite => ({ id: 's', name: '东院', as_of: NOW - 10 * MINUTE, silent: 0, unsent: 0, desks: [], ...more })
  const said = (more: Partial<SyncClinicSite>) => completeness(site(more), t, () => '09:12')

  it('say as of when their figures are whole, and what is missing', async () => {
    expect(said({})).toBe('东院的数据截至 09:12')
    expect(said({ silent: 2, unsent: 40 })).toBe('东院的数据截至 09:12，2 台电脑今天还没有联系，已知有 40 条未上传')
    expect(said({ as_of: null })).toBe('东院还没有数据')
    await setLocale('en')
    expect(said({ silent: 2 })).toContain('2 desks not heard today')
  })

  it('are complete only while every desk is heard', () => {
    expect(isComplete(site({}), NOW)).toBe(true)
    for (const lacking of [{ silent: 1 }, { unsent: 1 }, { as_of: null }, { as_of: NOW - 61 * MINUTE }]) expect(isComplete(site(lacking), NOW)).toBe(false)
  })
})

describe('the state', () => {
  it.each<[SyncState, Partial<SyncStatus>, string, string]>([
    ['alone', { enrolled: false, problem: 'sync_unreachable' }, '本机独立使用', 'This PC alone'],
    ['done', {}, '已同步 2 分钟前 / 可以关机', 'Synced 2 min ago / Safe to shut down'],
    ['done', { problem: 'cancelled' }, '已同步 2 分钟前 / 可以关机', 'Synced 2 min ago / Safe to shut down'],
    ['never', { heard_at: null }, '还没有同步过 / 可以关机', 'Not synced yet / Safe to shut down'],
    ['waiting', unsent, '已连接服务器 / 还有 3 条未上传，关机前请先同步 / 最早 2 小时前', 'Connected / 3 unsent: sync before shutting down / oldest 2 h ago'],
    ['running', { running: true, ...unsent }, '正在同步 / 还有 3 条未上传，请稍等再关机 / 最早 2 小时前', 'Syncing / 3 unsent: wait before shutting down / oldest 2 h ago'],
    ['offline', { problem: 'sync_unreachable' }, '连不上服务器 / 可以关机 / 14:05 再试 / 上次同步 2 分钟前', 'Server out of reach / Safe to shut down / tries again 14:05 / last sync 2 min ago'],
    ['offline', { problem: 'sync_server_busy', next_at: NOW - 1, ...unsent }, '连不上服务器 / 还有 3 条未上传，请先联网再关机 / 最早 2 小时前 / 马上再试 / 上次同步 2 分钟前', 'Server out of reach / 3 unsent: connect before shutting down / oldest 2 h ago / tries again now / last sync 2 min ago'],
    ['stuck', { problem: 'sync_revoked', ...unsent }, '同步已停止，需要处理 / 还有 3 条未上传，请先不要停用这台电脑 / 最早 2 小时前', 'Sync has stopped and needs you / 3 unsent: keep this PC as it is / oldest 2 h ago'],
    ['filling', { filling: true, heard_at: null, safe_to_shut_down: false }, '首次同步中 / 首次同步完成前请不要带走电脑', 'First sync / Do not take this PC away before the first sync is through'],
    ['filling', { filling: true, running: true, problem: 'sync_unreachable', safe_to_shut_down: false }, '首次同步中 / 首次同步完成前请不要带走电脑', 'First sync / Do not take this PC away before the first sync is through'],
    ['paused', { filling: true, problem: 'sync_unreachable', safe_to_shut_down: false }, '首次同步未完成 / 首次同步完成前请不要带走电脑 / 14:05 再试', 'First sync unfinished / Do not take this PC away before the first sync is through / tries again 14:05'],
    ['paused', { filling: true, held: true, filled: 4_500, fill_total: 10_000, safe_to_shut_down: false }, '首次同步未完成 / 首次同步完成前请不要带走电脑 / 45%', 'First sync unfinished / Do not take this PC away before the first sync is through / 45 %'],
    ['filling', { filling: true, running: true, filled: 10_000, fill_total: 10_000, safe_to_shut_down: false }, '首次同步中 / 首次同步完成前请不要带走电脑 / 99%', 'First sync / Do not take this PC away before the first sync is through / 99 %'],
  ])('%s is said plainly', async (state, status, zh, en) => {
    expect(stateOf({ ...calm, ...status })).toBe(state)
    expect(foot(status)).toBe(zh)
    await setLocale('en')
    expect(foot(status)).toBe(en)
  })

  it('never says that a desk with something unsent may be put away', () => {
    for (const problem of [null, 'sync_unreachable', 'sync_revoked', 'cancelled']) {
      for (const running of [true, false]) {
        for (const filling of [true, false]) expect(shutdown({ ...calm, ...unsent, problem, running, filling })?.key).not.toBe('sync.safe.yes')
      }
    }
  })

  it('tells ages in the largest unit, and trusts no clock that was set back', () => {
    const said = (age: number) => t(ageOf(NOW - age, NOW).key, ageOf(NOW - age, NOW).params)
    expect([-5, 0, 59, 60, 47 * 60, 48 * 60].map((minutes) => said(minutes * MINUTE))).toEqual(['刚刚', '刚刚', '59 分钟前', '1 小时前', '47 小时前', '2 天前'])
  })
})

describe('a code', () => {
  it('is read as people write it, and names its server', () => {
    const typed = 'ab c12-34567－８９ooo-il234-5mnpq'
    expect(plainCode(typed)).toBe('ABC123456789000112345MNPQ')
    expect([isWhole(typed), isWhole('ABC')]).toEqual([true, false])
    expect([serverMark(typed), serverMark('ABC')]).toEqual(['89000 11234 5MNP', ''])
  })
})

describe('the foot of the window', () => {
  it('counts what waits for a person, and asks again after each write', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    signIn(['signed_in', 'archive_read'])
    let status = calm
    const calls = answerWith({ sync_status: () => status })
    const line = mount(SyncFoot, { props: { now: NOW } })
    await flushPromises()
    expect(line.text()).toContain('可以关机')
    expect(line.find('[data-test=foot-refused]').exists()).toBe(false)
    status = { ...calm, ...unsent, refused: 2, conflicts: 1 }
    tell('changed', { features: ['followup'] })
    await vi.advanceTimersByTimeAsync(1000)
    vi.useRealTimers()
    await flushPromises()
    expect(calls.filter(([name]) => name === 'sync_status')).toHaveLength(2)
    expect(line.text()).toContain('还有 3 条未上传')
    expect(line.get('[data-test=foot-refused]').text()).toBe('2 条未被接受')
    expect(line.get('[data-test=foot-conflicts]').text()).toBe('1 处待选择')
  })

  it('is quiet without a server', async () => {
    signIn(['signed_in'])
    answerWith({ sync_status: () => ({ ...calm, enrolled: false, refused: 9 }) })
    const line = mount(SyncFoot, { props: { now: NOW } })
    await flushPromises()
    expect(line.text()).toBe('本机独立使用')
  })
})

const conflict: SyncConflict = {
  id: 'c1', patient_id: 'p1', patient: '张三', entity: 'phone', field: 'number', kept: '138****1234', kept_at: NOW, kept_by: '王芳',
  lost: '139****5678', lost_at: NOW, lost_by: null, settled_at: null, settled_how: null,
}
const refused: SyncRefused = {
  number: 7, outcome: 'refused', why: 'already_done', entity: 'task', command: 'complete', called_twice: true, patient_id: 'p1', patient: '张三',
  by: '王芳', written_at: NOW, heard_at: NOW, seen: false,
}

describe('the page', () => {
  afterEach(() => {
    job.value = null
    toasts.splice(0)
  })

  async function open(permissions: string[], answers: Parameters<typeof answerWith>[0]) {
    signIn(['signed_in', ...permissions])
    const calls = answerWith({
      sync_status: () => calm, sync_history: () => ({ rounds: [] }), sync_refused: () => ({ rows: [] }), sync_conflicts: () => ({ conflicts: [] }), ...answers,
    })
    const page = mount(SyncPage, { global: { stubs: { SettingsTabs: true } } })
    await flushPromises()
    return { page, calls, sent: (name: string) => calls.filter(([called]) => called === name).map(([, request]) => request) }
  }

  it('shows both values side by side and settles with one click', async () => {
    const { page, sent } = await open(['archive_read', 'archive_write'], { sync_conflicts: () => ({ conflicts: [conflict] }), sync_settle: () => ({}) })
    const box = page.get('[data-test=conflicts]')
    for (const words of ['张三', '电话号码', '138****1234', '王芳', '139****5678', '其他电脑']) expect(box.text()).toContain(words)
    await box.get('[data-test=take]').trigger('click')
    await flushPromises()
    expect(sent('sync_settle')).toEqual([{ id: 'c1', how: { kind: 'lost' } }])
    expect(toasts.at(-1)?.text).toContain('张三')
  })

  it('takes a third value, and says beside it what is wrong with it', async () => {
    const { page, sent } = await open(['archive_read', 'archive_write'], {
      sync_conflicts: () => ({ conflicts: [conflict] }),
      sync_settle: () => { throw new Refusal('invalid', {}, [{ field: 'how', code: 'bad_phone' }]) },
    })
    await page.get('[data-test=other]').trigger('click')
    await page.get('input').setValue(' 12 ')
    await page.get('form').trigger('submit')
    await flushPromises()
    expect(sent('sync_settle')).toEqual([{ id: 'c1', how: { kind: 'other', value: '12' } }])
    expect(page.get('[data-test=conflicts] [role=alert]').text()).toBe(t('errors.bad_phone'))
  })

  it('lets who may not write look only', async () => {
    const { page } = await open(['archive_read'], { sync_conflicts: () => ({ conflicts: [conflict] }) })
    expect(page.find('[data-test=keep]').exists()).toBe(false)
    expect(page.text()).toContain(t('sync.conflicts.not_allowed'))
  })

  it('says what was wanted, why not and what to do, until somebody has seen it', async () => {
    const odd: SyncRefused = { ...refused, number: 8, outcome: 'rejected', why: 'of_tomorrow', entity: 'of_tomorrow', command: null, called_twice: false, patient: null }
    const { page, sent } = await open([], { sync_refused: () => ({ rows: [refused, odd] }), sync_refused_seen: () => ({}) })
    const first = page.get('[data-test=refused-7]')
    for (const words of ['完成随访任务', '被打了两次电话', '两次通话记录都保留']) expect(first.text()).toContain(words)
    expect(page.get('[data-test=refused-8]').text()).toContain('修改一条记录')
    await first.get('button').trigger('click')
    await flushPromises()
    await page.get('[data-test=seen-all]').trigger('click')
    await flushPromises()
    expect(sent('sync_refused_seen')).toEqual([{ numbers: [7] }, { numbers: [7, 8] }])
  })

  it('starts a round, once, and says what it came to', async () => {
    const { page, sent } = await open([], {
      sync_now: () => ({ id: 'j1' }),
      settings_job: () => ({ id: 'j1', kind: 'sync_now', state: 'done', done: 1, total: 1, error: null, result: { pushed: 4, pulled: 5, pending: 0, conflicts: 0, rejected: 0, cursor: 9, digest: 'ab' } }) as never,
    })
    await page.get('[data-test=sync-now]').trigger('click')
    await flushPromises()
    expect(sent('sync_now')).toHaveLength(1)
    expect(page.get('[data-test=sync-result]').text()).toBe('这次上传 4 处，收到 5 处。 已与服务器核对，内容一致。')
  })

  it('writes a USB stick and reads the answer, saying what became of it', async () => {
    let kind = ''
    const { page, sent } = await open([], {
      ['/dialog/save' as never]: () => 'E:/there.desk', ['/dialog/open' as never]: () => 'E:/back.answer',
      sync_stick_write: () => ((kind = 'write'), { id: 'w1' }), sync_stick_read: () => ((kind = 'read'), { id: 'r1' }),
      settings_job: ({ id }: { id: string }) => ({
        id, kind, state: 'done', done: 1, total: 1, error: null,
        result: id === 'w1' ? { changes: 42, bytes: 9000 } : { pushed: 42, pulled: 7, pending: 0, conflicts: 0, rejected: 0, cursor: 9, digest: 'ab' },
      }) as never,
    })
    await page.get('[data-test=stick-write]').trigger('click')
    await flushPromises()
    await flushPromises()
    expect(sent('sync_stick_write')).toEqual([{ path: 'E:/there.desk' }])
    expect(page.get('[data-test=stick-done]').text()).toContain('42')
    await page.get('[data-test=stick-read]').trigger('click')
    await flushPromises()
    await flushPromises()
    expect(sent('sync_stick_read')).toEqual([{ path: 'E:/back.answer' }])
    expect(page.get('[data-test=stick-done]').text()).toContain('带回 7 条')
  })

  it('shows a conflict’s numbers in full only when asked, through the core that writes it down', async () => {
    const { page, sent } = await open(['archive_read', 'archive_reveal'], {
      sync_conflicts: () => ({ conflicts: [conflict] }), sync_conflict_reveal: () => ({ kept: '13812341234', lost: '13956785678' }),
    })
    expect(page.text()).not.toContain('13812341234')
    await page.get('[data-test=reveal]').trigger('click')
    await flushPromises()
    expect(sent('sync_conflict_reveal')).toEqual([{ id: 'c1' }])
    for (const number of ['13812341234', '13956785678']) expect(page.get('[data-test=conflicts]').text()).toContain(number)
  })

  it('lets an administrator join a server and keeps the code out of sight afterwards', async () => {
    let enrolled = false
    const { page, sent } = await open(['settings_edit'], {
      sync_status: () => ({ ...calm, enrolled }),
      sync_enrol: () => ((enrolled = true), { hospital: '青山县人民医院', job: 'j2' }),
      settings_job: () => ({ id: 'j2', kind: 'sync_enrol', state: 'running', done: 10, total: 40, error: null, result: null }) as never,
    })
    expect(page.get('[data-test=enrol-submit]').attributes('disabled')).toBeDefined()
    await page.get('input[data-test=enrol-address]').setValue(' s:8443 ')
    await page.get('input[data-test=enrol-code]').setValue('ABC12-34567-89000-11234-5MNPQ')
    expect(page.get('[data-test=enrol-mark]').text()).toContain('89000 11234 5MNP')
    await page.get('[data-test=enrol]').trigger('submit')
    await flushPromises()
    expect(sent('sync_enrol')).toEqual([{ address: 's:8443', code: 'ABC12-34567-89000-11234-5MNPQ' }])
    expect(page.get('[role=progressbar]').attributes('aria-valuenow')).toBe('25')
    expect(page.find('[data-test=enrol]').exists()).toBe(false)
  })

  it('tells who may not join whom to ask', async () => {
    const { page } = await open([], { sync_status: () => ({ ...calm, enrolled: false }) })
    expect(page.text()).toContain(t('sync.alone.text'))
    expect(page.find('[data-test=enrol]').exists()).toBe(false)
  })
})

describe('the mark on the patient in front of somebody', () => {
  it('appears when a sync changed them, not after one\'s own writes or somebody else\'s news', async () => {
    const Shown = { props: ['data'], setup: (props: { data: unknown }) => ({ at: useTouchedBySync(() => props.data) }), template: '<i>{{ at === null ? "same" : "touched" }}</i>' }
    const pane = mount(Shown, { props: { data: { name: 'a' } } })
    tell('changed', { features: ['followup'] })
    await pane.setProps({ data: { name: 'b' } })
    expect(pane.text()).toBe('same')
    tell('changed', { features: ['followup', 'sync'] })
    await pane.setProps({ data: { name: 'b' } })
    expect(pane.text()).toBe('same')
    tell('changed', { features: ['followup', 'sync'] })
    await pane.setProps({ data: { name: 'c' } })
    expect(pane.text()).toBe('touched')
  })
})
