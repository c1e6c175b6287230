SELECT c.id, c.given_at AS at, s.display_name AS by, iif(c.granted, 'granted', 'withdrawn') AS code,
       json_object('purpose', c.purpose, 'channel', c.channel, 'how', c.how, 'text', c.proof) AS params
FROM consent c LEFT JOIN staff s ON s.id = c.user_id
WHERE c.patient_id = ?1 AND (c.given_at, c.id) < (?2, ?3)
ORDER BY c.given_at DESC, c.id DESC
LIMIT ?4
