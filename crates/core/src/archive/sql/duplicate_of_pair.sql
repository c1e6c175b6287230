SELECT id, state, reasons
FROM duplicate
WHERE (first_id = ?1 AND second_id = ?2) OR (first_id = ?2 AND second_id = ?1)
ORDER BY id
LIMIT 1
