-- Inpatient stays from row ?1 on, in the order of the file; see gather.rs.
SELECT rowid, id, patient_id, visit_no, department, discharged_on, disposition
  FROM encounter WHERE rowid >= ?1 AND kind = 'inpatient' AND removed = 0 ORDER BY rowid
