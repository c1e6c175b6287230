-- 出院人次: ?1 from, ?2 to (dates), ?3 department or null. One row per discharge.
SELECT
  encounter.id          AS record_id,
  encounter.patient_id  AS patient_id,
  encounter.discharged_on AS on_date,
  encounter.department  AS department,
  NULL                  AS user_id,
  NULL                  AS plan_code,
  1                     AS everyone,
  (coalesce(encounter.disposition, '') <> '5' AND patient.deceased = 0
    AND patient.contact_optout = 'none' AND patient.is_test = 0 AND patient.is_unknown = 0
    OR EXISTS (SELECT 1 FROM standing_response AS response WHERE response.encounter_id = encounter.id)) AS expected,
  EXISTS (SELECT 1 FROM standing_response AS response WHERE response.encounter_id = encounter.id) AS followed
FROM encounter
JOIN patient ON patient.id = encounter.patient_id
-- In the order of the file, not of the index: each page of the encrypted file is then read once.
WHERE encounter.rowid IN (SELECT rowid FROM encounter WHERE discharged_on BETWEEN ?1 AND ?2)
  AND encounter.kind = 'inpatient'
  AND encounter.removed = 0
  AND (?3 IS NULL OR encounter.department = ?3)
