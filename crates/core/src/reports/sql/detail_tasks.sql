-- Planned tasks from row ?1 on, in the order of the file; see gather.rs.
SELECT rowid, id, patient_id, encounter_id, plan_code, plan_version, timepoint, due_on, window_starts_on,
  window_ends_on, status, end_reason, attempts, ended_at, coalesce(assigned_to, claimed_by)
  FROM task WHERE rowid >= ?1 AND kind = 'plan' ORDER BY rowid
