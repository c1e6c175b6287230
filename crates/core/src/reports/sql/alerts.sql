-- 异常, one row per alert. "within" narrows them to days they were raised or to a patient. state: in_time, late, or unhandled,
-- which is the clock's affair no more once somebody handled it.
SELECT
  record_id, patient_id, on_date, at, department, plan_code, user_id, site_id, level, state,
  level = 'red'    AS red,
  level = 'orange' AS orange,
  level = 'yellow' AS yellow,
  level = 'red'    AND state = 'in_time' AS red_in_time,
  level = 'orange' AND state = 'in_time' AS orange_in_time,
  level = 'yellow' AND state = 'in_time' AS yellow_in_time
FROM (
  SELECT
    alert.id              AS record_id,
    alert.patient_id      AS patient_id,
    date(alert.raised_at / 1000 + 28800, 'unixepoch') AS on_date,
    alert.raised_at       AS at,
    coalesce(encounter.department, '') AS department,
    alert.plan_code       AS plan_code,
    alert.raised_by       AS user_id,
    patient.site_id       AS site_id,
    alert.level           AS level,
    CASE WHEN alert.handled_at IS NULL THEN 'unhandled'
         WHEN alert.handled_at <= alert.due_at THEN 'in_time' ELSE 'late' END AS state
  FROM alert
  LEFT JOIN task ON task.id = alert.task_id
  LEFT JOIN encounter ON encounter.id = task.encounter_id
  LEFT JOIN patient ON patient.id = alert.patient_id
  WHERE true /* within */
)
