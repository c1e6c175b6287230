SELECT id, first_id, second_id, reasons, state, found_at
FROM duplicate
WHERE (first_id = ?1 OR second_id = ?1) AND state = ?2
ORDER BY found_at DESC, id DESC
