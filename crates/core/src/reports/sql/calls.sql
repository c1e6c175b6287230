-- 外呼通次, one row per call that stands, with weekday (1 Monday) and hour of the hospital's clock. "within" narrows them to
-- days or to a patient.
SELECT
  call.id               AS record_id,
  call.patient_id       AS patient_id,
  call.called_on        AS on_date,
  call.called_on        AS at,
  coalesce(encounter.department, '') AS department,
  task.plan_code        AS plan_code,
  call.user_id          AS user_id,
  patient.site_id       AS site_id,
  call.talk_seconds     AS talk_seconds,
  1                     AS everyone,
  CAST(strftime('%u', call.called_at / 1000 + 28800, 'unixepoch') AS INTEGER) AS weekday,
  CAST(strftime('%H', call.called_at / 1000 + 28800, 'unixepoch') AS INTEGER) AS hour,
  call.outcome = 'reached' AND coalesce(call.talk_seconds, 10) >= 10 AS connected,
  EXISTS (SELECT 1 FROM standing_response AS response WHERE response.call_id = call.id) AS answered
FROM call
LEFT JOIN task ON task.id = call.task_id
LEFT JOIN encounter ON encounter.id = task.encounter_id
LEFT JOIN patient ON patient.id = call.patient_id
WHERE true /* within */
  -- As the view standing_call says.
  AND call.outcome <> 'withdrawn'
  AND NOT EXISTS (SELECT 1 FROM call AS later WHERE later.replaces_id = call.id)
