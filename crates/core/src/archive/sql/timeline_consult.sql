SELECT c.id, c.asked_at AS at, s.display_name AS by, 'asked' AS code,
       json_object('level', c.level, 'question', c.question, 'department', c.department, 'status', c.status) AS params
FROM consult c LEFT JOIN staff s ON s.id = c.asked_by
WHERE c.patient_id = ?1 AND (c.asked_at, c.id) < (?2, ?3)
ORDER BY c.asked_at DESC, c.id DESC
LIMIT ?4
