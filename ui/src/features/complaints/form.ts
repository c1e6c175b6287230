import type { ComplaintForm } from '@/bindings/ComplaintForm'

/** A form in which nothing was told yet. */
export const freshForm = (): ComplaintForm => ({
  channel: 'phone', anonymous: false, complainant: '', complainant_relation: '0', complainant_phone: '', complainant_id: '', authorisation: '',
  patient_id: null, patient_name: '', patient_sex: '0', patient_age: null, patient_mrn: '', patient_visit_no: '', visit_department: '', visited_on: null,
  doctor: '', happened_at: null, happened_where: '', departments: [], accused: [], category: '', subcategory: '', summary: '', demand: '', evidence: '',
  confirmation: '', severity: 'C', harm: false, risks: [], deadline_rule: '',
})

/** What a phrase says once number and deadline are known. */
export function filled(text: string, number: string, due: string): string {
  return text.replace('{number}', number).replace('{due}', due)
}
