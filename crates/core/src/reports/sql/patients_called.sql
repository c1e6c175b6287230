-- 外呼患者: ?1 from, ?2 to (dates), ?3 department or null. One row per patient called.
SELECT
  call.patient_id       AS record_id,
  call.patient_id       AS patient_id,
  max(call.called_on)   AS on_date,
  coalesce(max(encounter.department), '') AS department,
  NULL                  AS user_id,
  NULL                  AS plan_code,
  1                     AS everyone,
  max(EXISTS (SELECT 1 FROM standing_response AS response WHERE response.call_id = call.id)) AS reached
FROM call
LEFT JOIN task ON task.id = call.task_id
LEFT JOIN encounter ON encounter.id = task.encounter_id
-- Calls that stand, as the view standing_call says, in the order of the file: each page of it is then read once.
WHERE call.rowid IN (SELECT rowid FROM call WHERE called_on BETWEEN ?1 AND ?2)
  AND call.outcome <> 'withdrawn'
  AND NOT EXISTS (SELECT 1 FROM call AS later WHERE later.replaces_id = call.id)
  AND (?3 IS NULL OR encounter.department = ?3)
GROUP BY call.patient_id
