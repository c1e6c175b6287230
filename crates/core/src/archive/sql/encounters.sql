SELECT id, kind, visit_no, visit_count, department, ward, bed, admitted_at, discharged_at, discharged_on,
       length_of_stay_days, diagnosis_code, diagnosis, other_diagnoses, surgery, surgery_on, delivery_on, doctor,
       nurse, disposition, admit_route, pay_mode, total_fee_fen, next_visit_on
FROM encounter
WHERE patient_id = ?1 AND removed = 0
ORDER BY coalesce(discharged_at, admitted_at) DESC, id DESC
LIMIT ?2 OFFSET ?3
