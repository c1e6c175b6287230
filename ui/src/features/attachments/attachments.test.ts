import { enableAutoUnmount, flushPromises, mount } from '@vue/test-utils'
import { afterEach, describe, expect, it } from 'vitest'
import { answerWith, Refusal, tell } from '../../../tests/core'
import { queryClient } from '@/app/query'
import { acceptStatus } from '@/app/session'
import type { Attachment } from '@/bindings/Attachment'
import { toasts } from '@/shared/feedback/undo'
import AttachmentCard from './AttachmentCard.vue'
import { endingOf, sizeOf } from './size'

const photo: Attachment = { id: 'a1', name: '伤口.jpg', media_type: 'image/jpeg', size: 2_500_000, added_at: Date.parse('2026-11-22T06:00:00Z'), by: '李爱丽', place: 'unsent', sent: 0 }

function signIn(permissions: string[]) {
  acceptStatus({
    state: 'open', hospital: 'H', site: 'S', password_due: null, idle_seconds: 300, app_version: '0',
    user: { id: 'u1', login: 'alice', display_name: 'Alice', roles: [], permissions },
  } as never)
}

async function open(permissions: string[], attachments: Attachment[], more: Record<string, unknown> = {}) {
  signIn(['signed_in', 'archive_read', ...permissions])
  const calls = answerWith({ attachments_list: () => ({ attachments, max_mib: 50 }), ...more } as never)
  const card = mount(AttachmentCard, { props: { id: 'p1', patientId: 'p1', kind: 'patient' } })
  await flushPromises()
  return { card, sent: (name: string) => calls.filter(([called]) => called === name).map(([, request]) => request) }
}

enableAutoUnmount(afterEach)
afterEach(() => {
  queryClient.clear()
  toasts.splice(0)
})

describe('a size', () => {
  it('is said as people say it', () => {
    const n = (value: number, options: Intl.NumberFormatOptions) => new Intl.NumberFormat('en', options).format(value)
    expect([812, 2_500_000, 640_000, 50 << 20].map((bytes) => sizeOf(bytes, n))).toEqual(['812 B', '2.4 MB', '625 KB', '50 MB'])
    expect([endingOf('a.b.JPG'), endingOf('没有')]).toEqual([['JPG'], []])
  })
})

describe('the files of a patient', () => {
  it('say what they are, whose, and whether the server has them', async () => {
    const away: Attachment = { ...photo, id: 'a2', name: '录音.mp3', media_type: 'audio/mpeg', place: 'away' }
    const { card } = await open([], [photo, { ...photo, id: 'a3', sent: 1_000_000 }, away])
    for (const words of ['伤口.jpg', '2.4 MB', '李爱丽', '尚未上传', '已上传 40%', '录音.mp3', '在服务器，打开时下载']) expect(card.text()).toContain(words)
    expect(card.find('[data-test=attachment-add]').exists()).toBe(false)
    expect(card.find('[data-test=attachment-copy]').exists()).toBe(false)
  })

  it('are added from a dialog, or dropped on the window', async () => {
    const { card, sent } = await open(['archive_write'], [], { '/dialog/open': () => 'D:/a.jpg', attachments_add: () => photo })
    await card.get('[data-test=attachment-add]').trigger('click')
    await flushPromises()
    tell('dragging', { over: true })
    await flushPromises()
    expect(card.text()).toContain('松开鼠标即可添加')
    tell('dropped', { paths: ['D:/b.jpg', 'D:/c.jpg'] })
    await flushPromises()
    await flushPromises()
    expect(sent('attachments_add').map((request) => (request as { path: string }).path)).toEqual(['D:/a.jpg', 'D:/b.jpg', 'D:/c.jpg'])
    expect(sent('attachments_add')[0]).toEqual({ patient_id: 'p1', subject_kind: 'patient', subject_id: 'p1', path: 'D:/a.jpg' })
  })

  it('that are too large are refused in words', async () => {
    const { card } = await open(['archive_write'], [], { '/dialog/open': () => 'D:/film.mp4', attachments_add: () => { throw new Refusal('attachment_too_large', { max_mib: 50 }) } })
    await card.get('[data-test=attachment-add]').trigger('click')
    await flushPromises()
    expect(card.get('[role=alert]').text()).toContain('50 MiB')
  })

  it('are taken away with one click and come back with another', async () => {
    const { card, sent } = await open(['archive_write'], [photo], { attachments_remove: () => ({}) })
    await card.get('[data-test=attachment-remove]').trigger('click')
    await flushPromises()
    await toasts.at(-1)?.undo?.()
    expect(sent('attachments_remove')).toEqual([{ id: 'a1', removed: true }, { id: 'a1', removed: false }])
  })

  it('leave as a copy where the person says', async () => {
    const { card, sent } = await open(['archive_reveal'], [photo], {
      '/dialog/save': () => 'E:/copy.jpg', attachments_export: () => ({ id: 'j1' }),
      settings_job: () => ({ id: 'j1', kind: 'attachments_export', state: 'done', done: 1, total: 1, error: null, result: { bytes: 2_500_000 } }),
    })
    await card.get('[data-test=attachment-copy]').trigger('click')
    await flushPromises()
    expect(sent('attachments_export')).toEqual([{ id: 'a1', path: 'E:/copy.jpg' }])
    expect(toasts.at(-1)?.text).toContain('副本不加密')
  })
})
