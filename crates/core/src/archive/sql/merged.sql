SELECT m.id AS merge_id, m.merged_id AS patient_id, p.name, p.mrn, m.merged_at
FROM patient_merge m JOIN patient p ON p.id = m.merged_id
WHERE m.kept_id = ?1 AND m.undone_at IS NULL
ORDER BY m.merged_at DESC
