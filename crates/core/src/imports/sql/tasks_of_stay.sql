SELECT count(*) AS open
FROM task
WHERE patient_id = ?1 AND encounter_id = ?2 AND status IN ('open', 'waiting')
