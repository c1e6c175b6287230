import { computed, type Ref } from 'vue'
import { keepPreviousData, useMutation, useQuery } from '@tanstack/vue-query'
import { backend } from '@/backend'
import type { Plan } from '@/bindings/Plan'

/** Every plan and questionnaire. */
export function usePlans() {
  return useQuery({ queryKey: ['forms', 'plans'], queryFn: () => backend.call('forms_plans', {}) })
}

/** One plan; without a version the one in use. */
export function usePlan(code: Ref<string>, version: Ref<number | null>) {
  return useQuery({
    queryKey: computed(() => ['forms', 'plan', code.value, version.value]),
    queryFn: () => backend.call('forms_plan', { code: code.value, version: version.value }),
    enabled: computed(() => code.value !== ''),
    placeholderData: keepPreviousData,
  })
}

/** Names of the people who made versions. */
export function useStaffNames() {
  const query = useQuery({ queryKey: ['staff', 'list'], queryFn: () => backend.call('staff_list', {}) })
  return computed(() => new Map((query.data.value?.members ?? []).map((member) => [member.id, member.display_name])))
}

/** Saves a draft as the next version. */
export function useSavePlan() {
  return useMutation({ mutationFn: (request: { plan: Plan; based_on: number | null }) => backend.call('forms_plan_save', request) })
}

/** Uses a version, or none. */
export function useSwitchPlan() {
  return useMutation({
    mutationFn: ({ code, version }: { code: string; version: number | null }) =>
      version === null ? backend.call('forms_plan_disable', { code }) : backend.call('forms_plan_enable', { code, version }),
  })
}
