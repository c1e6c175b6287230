SELECT c.id, c.received_at AS at, s.display_name AS by, c.kind AS code,
       json_object('number', c.number, 'status', c.status, 'department', c.departments ->> '$[0]') AS params
FROM complaint c LEFT JOIN staff s ON s.id = c.registered_by
-- Complaints of confidential categories are for named roles alone, and a patient's page is read by many.
WHERE c.patient_id = ?1 AND c.confidential = 0 AND (c.received_at, c.id) < (?2, ?3)
ORDER BY c.received_at DESC, c.id DESC
LIMIT ?4
