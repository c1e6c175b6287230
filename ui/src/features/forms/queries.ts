import { computed, type Ref } from 'vue'
import { keepPreviousData, useMutation, useQuery } from '@tanstack/vue-query'
import { backend } from '@/backend'
import { asForm, asPlan, type DocumentKind, type Shown } from './document'
import type { Plan } from '@/bindings/Plan'

/** Every plan and questionnaire. */
export function usePlans() {
  return useQuery({ queryKey: ['forms', 'plans'], queryFn: () => backend.call('forms_plans', {}) })
}

async function readDocument(kind: DocumentKind, code: string, version: number | null): Promise<Shown> {
  if (kind === 'plan') return backend.call('forms_plan', { code, version })
  const { form, ...rest } = await backend.call('forms_questionnaire', { code, version })
  return { ...rest, plan: asPlan(form), owners: [], variables: [] }
}

/** One plan or questionnaire; without a version the one in use. */
export function useDocument(kind: Ref<DocumentKind>, code: Ref<string>, version: Ref<number | null>) {
  return useQuery({
    queryKey: computed(() => ['forms', kind.value, code.value, version.value]),
    queryFn: () => readDocument(kind.value, code.value, version.value),
    enabled: computed(() => code.value !== ''),
    placeholderData: keepPreviousData,
  })
}

/** Names of the people who made versions. */
export function useStaffNames() {
  const query = useQuery({ queryKey: ['staff', 'list'], queryFn: () => backend.call('staff_list', {}) })
  return computed(() => new Map((query.data.value?.members ?? []).map((member) => [member.id, member.display_name])))
}

/** Every question there is to choose from. */
export function useBank() {
  return useQuery({ queryKey: ['forms', 'bank'], queryFn: () => backend.call('forms_bank', {}) })
}

/** Saves a draft as the next version. */
export function useSaveDocument(kind: Ref<DocumentKind>) {
  return useMutation({
    mutationFn: async ({ plan, based_on }: { plan: Plan; based_on: number | null }) => {
      const { shown } = kind.value === 'plan'
        ? await backend.call('forms_plan_save', { plan, based_on })
        : await backend.call('forms_questionnaire_save', { form: asForm(plan), based_on })
      return { name: plan.name, shown }
    },
  })
}

/** Uses a version, or none. */
export function useSwitchPlan() {
  return useMutation({
    mutationFn: ({ code, version }: { code: string; version: number | null }) =>
      version === null ? backend.call('forms_plan_disable', { code }) : backend.call('forms_plan_enable', { code, version }),
  })
}
