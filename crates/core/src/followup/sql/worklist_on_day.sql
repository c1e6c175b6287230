-- Patients with something to do on day ?1, by the tasks and alerts of now.
SELECT patient.num, patient.id
FROM patient
WHERE patient.id IN (
    SELECT patient_id FROM task WHERE status = 'open' AND window_starts_on <= ?1
    UNION
    SELECT patient_id FROM alert WHERE status = 'open' AND level = 'red'
  )
  AND patient.deceased = 0
  AND patient.removed = 0
  AND patient.merged_into IS NULL
  AND patient.is_test = 0
  AND patient.contact_optout = 'none'
