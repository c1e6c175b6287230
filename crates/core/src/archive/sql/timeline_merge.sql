SELECT m.id, m.merged_at AS at, s.display_name AS by, iif(m.undone_at IS NULL, 'merged', 'unmerged') AS code,
       json_object('name', p.name, 'mrn', p.mrn, 'undone_at', m.undone_at) AS params
FROM patient_merge m
JOIN patient p ON p.id = m.merged_id
LEFT JOIN staff s ON s.id = m.merged_by
WHERE m.kept_id = ?1 AND (m.merged_at, m.id) < (?2, ?3)
ORDER BY m.merged_at DESC, m.id DESC
LIMIT ?4
