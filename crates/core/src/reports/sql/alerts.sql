-- 异常: raised between ?1 and ?2 (dates); ?3 department or null. One row per alert.
SELECT
  alert.id              AS record_id,
  alert.patient_id      AS patient_id,
  date(alert.raised_at / 1000 + 28800, 'unixepoch') AS on_date,
  coalesce(encounter.department, '') AS department,
  alert.raised_by       AS user_id,
  alert.plan_code       AS plan_code,
  alert.level = 'red'    AS red,
  alert.level = 'orange' AS orange,
  alert.level = 'yellow' AS yellow,
  alert.level = 'red'    AND alert.handled_at <= alert.due_at AS red_in_time,
  alert.level = 'orange' AND alert.handled_at <= alert.due_at AS orange_in_time,
  alert.level = 'yellow' AND alert.handled_at <= alert.due_at AS yellow_in_time
FROM alert
LEFT JOIN task ON task.id = alert.task_id
LEFT JOIN encounter ON encounter.id = task.encounter_id
WHERE alert.raised_at >= unixepoch(?1) * 1000 - 28800000
  AND alert.raised_at < unixepoch(?2, '+1 day') * 1000 - 28800000
  AND (?3 IS NULL OR encounter.department = ?3)
