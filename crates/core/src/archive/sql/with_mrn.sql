SELECT p.id,
       (SELECT max(coalesce(e.discharged_on, substr(e.admitted_at, 1, 10)))
        FROM encounter e WHERE e.patient_id = p.id AND e.removed = 0) AS last_on
FROM patient p
WHERE p.mrn = ?1 AND p.removed = 0
ORDER BY last_on DESC NULLS LAST, p.num
