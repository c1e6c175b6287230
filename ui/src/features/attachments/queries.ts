import { computed, type Ref } from 'vue'
import { useMutation, useQuery } from '@tanstack/vue-query'
import { backend } from '@/backend'
import { queryClient } from '@/app/query'

/** What a file hangs on: the patient says who may see it. */
export interface Subject {
  patientId: string
  /** `patient`, `complaint`. */
  kind: string
  /** Which; of a patient the patient's id. */
  id: string
}

/** What was added to something. */
export const useAttachments = (subject: Ref<Subject>) =>
  useQuery({
    queryKey: computed(() => ['attachments', subject.value.kind, subject.value.id]),
    queryFn: () => backend.call('attachments_list', { subject_kind: subject.value.kind, subject_id: subject.value.id }),
  })

const again = () => void queryClient.invalidateQueries({ queryKey: ['attachments'] })

export const useAdd = (subject: Ref<Subject>) =>
  useMutation({
    mutationFn: (path: string) => backend.call('attachments_add', { patient_id: subject.value.patientId, subject_kind: subject.value.kind, subject_id: subject.value.id, path }),
    onSuccess: again,
  })

export const useRemove = () =>
  useMutation({ mutationFn: (request: { id: string; removed: boolean }) => backend.call('attachments_remove', request), onSuccess: again })
