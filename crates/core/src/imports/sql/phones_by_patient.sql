SELECT id, number, owner_name, relation, source, removed
FROM phone
WHERE patient_id = ?1
