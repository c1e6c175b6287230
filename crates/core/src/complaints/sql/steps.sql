SELECT id, complaint_id, previous_id, ordinal, name, body, at, user_id, hash
FROM complaint_step WHERE complaint_id = ?1 ORDER BY ordinal, at, id
