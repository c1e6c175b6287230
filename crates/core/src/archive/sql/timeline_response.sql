SELECT r.id, r.responded_at AS at, s.display_name AS by,
       iif(r.replaces_id IS NULL, 'answered', 'corrected') AS code,
       json_object('plan', r.plan_code, 'version', r.plan_version, 'form', r.form) AS params
FROM response r LEFT JOIN staff s ON s.id = r.user_id
WHERE r.patient_id = ?1 AND (r.responded_at, r.id) < (?2, ?3)
ORDER BY r.responded_at DESC, r.id DESC
LIMIT ?4
