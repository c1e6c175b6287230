SELECT r.id, r.replied_at AS at, s.display_name AS by, 'replied' AS code,
       json_object('reply', r.reply, 'advice', nullif(r.advice, ''), 'date', r.next_visit_on) AS params
FROM consult c
JOIN consult_reply r ON r.consult_id = c.id
LEFT JOIN staff s ON s.id = r.user_id
WHERE c.patient_id = ?1 AND (r.replied_at, r.id) < (?2, ?3)
ORDER BY r.replied_at DESC, r.id DESC
LIMIT ?4
