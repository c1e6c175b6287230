SELECT row, outcome, import_row.patient_id, patient.name, problems, cells
FROM import_row INDEXED BY import_row_with_problems
LEFT JOIN patient ON patient.id = import_row.patient_id
WHERE batch = ?1 AND row > ?2 AND problems IS NOT NULL AND outcome IN ('created', 'updated', 'unchanged')
ORDER BY row
LIMIT ?3
