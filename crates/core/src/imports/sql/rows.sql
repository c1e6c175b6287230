SELECT row, outcome, import_row.patient_id, patient.name, problems, cells
FROM import_row
LEFT JOIN patient ON patient.id = import_row.patient_id
WHERE batch = ?1 AND row > ?2 AND (?3 IS NULL OR outcome = ?3)
ORDER BY row
LIMIT ?4
