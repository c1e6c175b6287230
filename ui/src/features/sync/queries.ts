import { onScopeDispose, ref, type MaybeRefOrGetter } from 'vue'
import { keepPreviousData, useMutation, useQuery } from '@tanstack/vue-query'
import { queryClient } from '@/app/query'
import { backend } from '@/backend'
import type { SyncSettleRequest } from '@/bindings/SyncSettleRequest'

/** Rounds that the page shows. */
const ROUNDS = 60
const ROWS = 200
/** A few writes of one act stand together: the status is asked once for them. */
const SETTLE_MS = 400

/** What a round came to; the result of its job. `digest` is there when desk and server were compared and are equal. */
export interface RoundReport {
  pushed: number
  pulled: number
  digest: string | null
}

/** The round that somebody started here: it outlives the page that shows it. */
export const job = ref<string | null>(null)

/** What a stick came to: `changes` when it was written, the rest when it was read. */
export interface StickReport extends RoundReport {
  changes: number
  pending: number
}

/** The USB stick that is being written or read, or was last. */
export const stickJob = ref<{ kind: 'write' | 'read'; id: string } | null>(null)

/** How the desk stands. Asked again after each write, each round, and while nothing happens. */
export const useSyncStatus = () =>
  useQuery({ queryKey: ['sync', 'status'], queryFn: () => backend.call('sync_status', {}), refetchInterval: 20_000 })

/** The same while a first sync runs and somebody watches. */
export const useFilling = () =>
  useQuery({ queryKey: ['sync', 'status'], queryFn: () => backend.call('sync_status', {}), refetchInterval: (query) => (query.state.data?.filling === false ? 20_000 : 1_000) })

/** Keeps the status fresh: every write may be something unsent, and a round may end without a change. */
export function followSync(): void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const soon = () => {
    clearTimeout(timer)
    timer = setTimeout(() => void queryClient.invalidateQueries({ queryKey: ['sync', 'status'] }), SETTLE_MS)
  }
  const silence = [backend.on('changed', soon), backend.on('sync', () => void queryClient.invalidateQueries({ queryKey: ['sync'] }))]
  onScopeDispose(() => {
    clearTimeout(timer)
    silence.forEach((stop) => stop())
  })
}

export const useRounds = (enabled: MaybeRefOrGetter<boolean>) =>
  useQuery({ queryKey: ['sync', 'history'], queryFn: () => backend.call('sync_history', { limit: ROUNDS }), enabled, placeholderData: keepPreviousData })

export const useRefused = (enabled: MaybeRefOrGetter<boolean>) =>
  useQuery({ queryKey: ['sync', 'refused'], queryFn: () => backend.call('sync_refused', { limit: ROWS }), enabled, placeholderData: keepPreviousData })

export const useConflicts = (enabled: MaybeRefOrGetter<boolean>) =>
  useQuery({ queryKey: ['sync', 'conflicts'], queryFn: () => backend.call('sync_conflicts', { settled: false, limit: ROWS }), enabled, placeholderData: keepPreviousData })

const again = () => void queryClient.invalidateQueries({ queryKey: ['sync'] })

/** A round now, as a job that pages follow. */
export const useSyncNow = () =>
  useMutation({
    mutationFn: () => backend.call('sync_now', {}),
    onSuccess: ({ id }) => {
      job.value = id
      again()
    },
  })

/** Stops the first sync for now. */
export const useFillStop = () => useMutation({ mutationFn: () => backend.call('sync_stop', {}), onSettled: again })

/** How the clinics stand, as last heard. */
export const useClinics = (enabled: MaybeRefOrGetter<boolean>) =>
  useQuery({ queryKey: ['sync', 'clinics'], queryFn: () => backend.call('sync_clinics', {}), enabled, placeholderData: keepPreviousData })

export const useSeen = () => useMutation({ mutationFn: (numbers: number[]) => backend.call('sync_refused_seen', { numbers }), onSuccess: again })

export const useSettle = () => useMutation({ mutationFn: (request: SyncSettleRequest) => backend.call('sync_settle', request), onSuccess: again })

/** Joins a server; the first sync goes on as a job. */
export const useEnrol = () =>
  useMutation({
    mutationFn: (request: { address: string; code: string }) => backend.call('sync_enrol', request),
    onSuccess: (answer) => {
      job.value = answer.job
      again()
    },
  })
