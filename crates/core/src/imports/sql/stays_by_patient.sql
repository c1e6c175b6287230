SELECT id, patient_id, visit_no, visit_count, admitted_at, discharged_at
FROM encounter
WHERE patient_id = ?1 AND removed = 0
