-- 漏斗: ?1 from, ?2 to (dates tasks are due), ?3 department or null. One row per patient with a task due; each step is a part
-- of the one before.
SELECT
  patient_id      AS record_id,
  patient_id,
  on_date,
  department,
  plan_code,
  1               AS everyone,
  called,
  called AND reached AS reached,
  called AND reached AND completed AS completed
FROM (
  SELECT task.patient_id,
         min(task.due_on) AS on_date,
         coalesce(max(encounter.department), '') AS department,
         max(task.plan_code) AS plan_code,
         max(task.attempts > 0 OR task.status = 'done') AS called,
         max(EXISTS (SELECT 1 FROM standing_response AS response WHERE response.task_id = task.id)
             OR EXISTS (SELECT 1 FROM standing_call AS call WHERE call.patient_id = task.patient_id AND call.outcome = 'reached'
                          AND call.called_on BETWEEN task.window_starts_on AND date(task.window_ends_on, '+31 days'))) AS reached,
         max(task.status = 'done') AS completed
  FROM task
  LEFT JOIN encounter ON encounter.id = task.encounter_id
  WHERE task.due_on BETWEEN ?1 AND ?2
    AND task.kind = 'plan'
    AND task.status NOT IN ('cancelled', 'skipped', 'waiting')
    AND (?3 IS NULL OR encounter.department = ?3)
  GROUP BY task.patient_id
)
