SELECT id
FROM patient_merge
WHERE ((kept_id = ?1 AND merged_id = ?2) OR (kept_id = ?2 AND merged_id = ?1)) AND undone_at IS NULL
LIMIT 1
