-- 出院人次, one row per discharge. "within" narrows them to days or to a patient.
SELECT
  encounter.id          AS record_id,
  encounter.patient_id  AS patient_id,
  encounter.discharged_on AS on_date,
  encounter.discharged_on AS at,
  encounter.department  AS department,
  NULL                  AS plan_code,
  NULL                  AS user_id,
  patient.site_id       AS site_id,
  encounter.doctor      AS doctor,
  1                     AS everyone,
  (coalesce(encounter.disposition, '') <> '5' AND patient.deceased = 0
    AND patient.contact_optout = 'none' AND patient.is_test = 0 AND patient.is_unknown = 0
    OR EXISTS (SELECT 1 FROM standing_response AS response WHERE response.encounter_id = encounter.id)) AS expected,
  EXISTS (SELECT 1 FROM standing_response AS response WHERE response.encounter_id = encounter.id) AS followed
FROM encounter
JOIN patient ON patient.id = encounter.patient_id
WHERE true /* within */
  AND encounter.kind = 'inpatient'
  AND encounter.removed = 0
