-- 在管患者 (by plan): anchored up to ?2 and not ended before ?1; ?3 department or null.
SELECT
  enrolment.id          AS record_id,
  enrolment.patient_id  AS patient_id,
  enrolment.anchor_on   AS on_date,
  coalesce(encounter.department, '') AS department,
  NULL                  AS user_id,
  enrolment.plan_code   AS plan_code,
  1                     AS everyone,
  enrolment.state = 'lost' AS lost
FROM enrolment
LEFT JOIN encounter ON encounter.id = enrolment.encounter_id
WHERE enrolment.anchor_on <= ?2
  AND (enrolment.ended_at IS NULL OR date(enrolment.ended_at / 1000 + 28800, 'unixepoch') >= ?1)
  AND enrolment.state <> 'withdrawn'
  AND (?3 IS NULL OR encounter.department = ?3)
