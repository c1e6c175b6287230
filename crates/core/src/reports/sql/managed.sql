-- 在管患者, one row per plan of a patient. "within" narrows them to those under management in a period, or to a patient.
SELECT
  record_id, patient_id, on_date, on_date AS at, department, plan_code, user_id, site_id, ended_on, everyone, lost
FROM (
  SELECT
    enrolment.id          AS record_id,
    enrolment.patient_id  AS patient_id,
    enrolment.anchor_on   AS on_date,
    coalesce(encounter.department, '') AS department,
    enrolment.plan_code   AS plan_code,
    NULL                  AS user_id,
    patient.site_id       AS site_id,
    -- Ended before it began (a due date of birth, say): on the day it would have begun.
    max(date(enrolment.ended_at / 1000 + 28800, 'unixepoch'), enrolment.anchor_on) AS ended_on,
    1                     AS everyone,
    enrolment.state = 'lost' AS lost
  FROM enrolment
  LEFT JOIN encounter ON encounter.id = enrolment.encounter_id
  LEFT JOIN patient ON patient.id = enrolment.patient_id
  WHERE true /* within */
    AND enrolment.state <> 'withdrawn'
)
