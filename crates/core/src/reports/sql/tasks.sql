-- 到期任务, one row per planned task. "within" narrows them to days they are due or to a patient.
-- Cancelled and skipped tasks are not counted: the system took them back. Whose task it is says who brought the answers,
-- else who called last for it, else whom it was given to. The steps of the funnel are each a part of the one before.
SELECT
  record_id, patient_id, on_date, on_date AS at, department, plan_code, user_id, site_id, counted, done, timely,
  called, called AND reached AS reached, called AND reached AND done AS completed
FROM (
  SELECT
    task.id               AS record_id,
    task.patient_id       AS patient_id,
    task.due_on           AS on_date,
    coalesce(encounter.department, '') AS department,
    task.plan_code        AS plan_code,
    coalesce(
      (SELECT response.user_id FROM standing_response AS response WHERE response.task_id = task.id
        ORDER BY response.responded_at DESC, response.id DESC LIMIT 1),
      (SELECT call.user_id FROM standing_call AS call WHERE call.patient_id = task.patient_id AND call.task_id = task.id
        ORDER BY call.called_at DESC, call.id DESC LIMIT 1),
      task.assigned_to)   AS user_id,
    patient.site_id       AS site_id,
    task.status NOT IN ('cancelled', 'skipped', 'waiting') AS counted,
    task.status = 'done'  AS done,
    task.status = 'done' AND coalesce(
      date(task.ended_at / 1000 + 28800, 'unixepoch') BETWEEN task.window_starts_on AND task.window_ends_on, 0) AS timely,
    task.status NOT IN ('cancelled', 'skipped', 'waiting') AND (task.attempts > 0 OR task.status = 'done') AS called,
    EXISTS (SELECT 1 FROM standing_response AS response WHERE response.task_id = task.id)
      OR EXISTS (SELECT 1 FROM standing_call AS call WHERE call.patient_id = task.patient_id AND call.outcome = 'reached'
           AND call.called_on BETWEEN task.window_starts_on AND date(task.window_ends_on, '+31 days')) AS reached
  FROM task
  LEFT JOIN encounter ON encounter.id = task.encounter_id
  LEFT JOIN patient ON patient.id = task.patient_id
  WHERE true /* within */
    AND task.kind = 'plan'
)
