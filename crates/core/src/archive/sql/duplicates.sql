SELECT id, first_id, second_id, reasons, state, found_at
FROM duplicate
WHERE state = ?1
ORDER BY found_at DESC, id DESC
LIMIT ?2 OFFSET ?3
