-- 到期任务: ?1 from, ?2 to (dates they are due), ?3 department or null. One row per planned task.
-- Cancelled and skipped tasks are not counted: the system took them back.
SELECT
  task.id               AS record_id,
  task.patient_id       AS patient_id,
  task.due_on           AS on_date,
  coalesce(encounter.department, '') AS department,
  coalesce(task.assigned_to, task.claimed_by) AS user_id,
  task.plan_code        AS plan_code,
  task.status NOT IN ('cancelled', 'skipped', 'waiting') AS counted,
  task.status = 'done'  AS done,
  task.status = 'done'
    AND date(task.ended_at / 1000 + 28800, 'unixepoch')
        BETWEEN task.window_starts_on AND task.window_ends_on AS timely
FROM task
LEFT JOIN encounter ON encounter.id = task.encounter_id
-- In the order of the file, not of the index: each page of the encrypted file is then read once.
WHERE task.rowid IN (SELECT rowid FROM task WHERE due_on BETWEEN ?1 AND ?2)
  AND task.kind = 'plan'
  AND (?3 IS NULL OR encounter.department = ?3)
