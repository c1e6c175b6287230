-- ?1 patient: the ids of the record and its stays; each carries the instant at which it was made.
SELECT id FROM patient WHERE id = ?1
UNION ALL
SELECT id FROM encounter WHERE patient_id = ?1 AND removed = 0
