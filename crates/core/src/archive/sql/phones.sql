SELECT id, number, extension, owner_name, relation, state, state_at, best_hour, source
FROM phone
WHERE patient_id = ?1 AND removed = 0
ORDER BY rank, id
