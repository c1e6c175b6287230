SELECT c.id, c.called_at AS at, s.display_name AS by, c.outcome AS code,
       json_object('reason', c.reason, 'talk_seconds', c.talk_seconds, 'remark', c.remark,
                   'appointment_at', c.appointment_at) AS params
FROM call c LEFT JOIN staff s ON s.id = c.user_id
WHERE c.patient_id = ?1 AND (c.called_at, c.id) < (?2, ?3)
ORDER BY c.called_at DESC, c.id DESC
LIMIT ?4
