-- ?1 kind, ?2 first day, ?3 last day, ?4 the day after it, ?5 nobody who answered since this day.
-- A visit has no day of discharge: it is found by the day it began.
SELECT encounter.id AS encounter_id, encounter.patient_id, encounter.department, coalesce(encounter.doctor, '') AS doctor,
       coalesce(encounter.discharged_on, substr(encounter.admitted_at, 1, 10)) AS visited_on,
       patient.site_id, patient.birth_on, patient.age_text,
       patient.deceased OR coalesce(encounter.disposition, '') = '5' AS deceased,
       patient.contact_optout <> 'none' AS refused,
       patient.is_test OR patient.is_unknown OR patient.removed OR patient.merged_into IS NOT NULL AS not_a_person,
       coalesce(patient.employer, '') <> ''
         AND patient.employer = (SELECT hospital FROM desk) AS staff,
       EXISTS (SELECT 1 FROM survey_sheet WHERE survey_sheet.patient_id = encounter.patient_id
                 AND survey_sheet.answered_on > ?5)
         OR EXISTS (SELECT 1 FROM survey_invite WHERE survey_invite.patient_id = encounter.patient_id
                 AND survey_invite.status = 'open') AS surveyed_lately
FROM encounter JOIN patient ON patient.id = encounter.patient_id
WHERE encounter.removed = 0 AND encounter.kind = ?1 AND encounter.department <> ''
  AND (encounter.discharged_on BETWEEN ?2 AND ?3
       OR (encounter.kind <> 'inpatient' AND encounter.discharged_on IS NULL
           AND encounter.admitted_at IS NOT NULL AND encounter.admitted_at >= ?2 AND encounter.admitted_at < ?4))
ORDER BY encounter.id
