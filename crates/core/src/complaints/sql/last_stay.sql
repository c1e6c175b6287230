SELECT department, visit_no, doctor, coalesce(discharged_on, substr(admitted_at, 1, 10)) AS last_on
FROM encounter WHERE patient_id = ?1 AND removed = 0
ORDER BY last_on DESC LIMIT 1
