-- Tasks due from ?1 to ?2 (dates), ?3 department or null, in the order they were due.
SELECT
  task.id AS task_id, task.plan_code, task.plan_version, task.timepoint, task.due_on, task.window_starts_on,
  task.window_ends_on, task.status, task.end_reason, task.attempts, task.ended_at,
  coalesce(task.assigned_to, task.claimed_by) AS assigned_to,
  patient.mrn, patient.name, patient.sex, patient.birth_on, patient.id_number, patient.deceased,
  (SELECT phone.number FROM phone WHERE phone.patient_id = task.patient_id AND phone.removed = 0
   ORDER BY phone.rank, phone.id LIMIT 1) AS number,
  encounter.visit_no, encounter.department, encounter.doctor, encounter.diagnosis_code, encounter.diagnosis,
  encounter.admitted_at, encounter.discharged_at, encounter.disposition
FROM task
JOIN patient ON patient.id = task.patient_id
LEFT JOIN encounter ON encounter.id = task.encounter_id
WHERE task.due_on BETWEEN ?1 AND ?2
  AND task.kind = 'plan'
  AND (?3 IS NULL OR encounter.department = ?3)
ORDER BY task.due_on
