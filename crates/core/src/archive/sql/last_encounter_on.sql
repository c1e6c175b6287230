SELECT max(coalesce(discharged_on, substr(admitted_at, 1, 10))) AS last_on
FROM encounter
WHERE patient_id = ?1 AND removed = 0
