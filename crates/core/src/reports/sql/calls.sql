-- 外呼通次: ?1 from, ?2 to (dates), ?3 department or null. One row per call, with weekday (1 Monday) and hour of the
-- hospital's clock.
SELECT
  call.id               AS record_id,
  call.patient_id       AS patient_id,
  call.called_on        AS on_date,
  coalesce(encounter.department, '') AS department,
  call.user_id          AS user_id,
  task.plan_code        AS plan_code,
  1                     AS everyone,
  CAST(strftime('%u', call.called_at / 1000 + 28800, 'unixepoch') AS INTEGER) AS weekday,
  CAST(strftime('%H', call.called_at / 1000 + 28800, 'unixepoch') AS INTEGER) AS hour,
  call.outcome = 'reached' AND coalesce(call.talk_seconds, 10) >= 10 AS connected
FROM call
LEFT JOIN task ON task.id = call.task_id
LEFT JOIN encounter ON encounter.id = task.encounter_id
-- Calls that stand, as the view standing_call says, in the order of the file: each page of it is then read once.
WHERE call.rowid IN (SELECT rowid FROM call WHERE called_on BETWEEN ?1 AND ?2)
  AND call.outcome <> 'withdrawn'
  AND NOT EXISTS (SELECT 1 FROM call AS later WHERE later.replaces_id = call.id)
  AND (?3 IS NULL OR encounter.department = ?3)
