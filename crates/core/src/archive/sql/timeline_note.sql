SELECT n.id, n.noted_at AS at, s.display_name AS by, n.kind AS code,
       CASE
         WHEN n.kind = 'note' OR NOT json_valid(n.body) THEN json_object('text', n.body)
         ELSE json_object(
           'text', n.body ->> 'reason', 'date', n.body ->> 'on', 'how', n.body ->> 'how',
           'level', coalesce(n.body ->> 'level', n.body ->> 'kind'), 'status', n.body ->> 'state')
       END AS params
FROM note n LEFT JOIN staff s ON s.id = n.user_id
WHERE n.patient_id = ?1 AND (n.noted_at, n.id) < (?2, ?3)
ORDER BY n.noted_at DESC, n.id DESC
LIMIT ?4
