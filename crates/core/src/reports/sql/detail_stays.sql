-- Stays from row ?1 on, in the order of the file.
SELECT rowid, visit_no, department, doctor, diagnosis_code, diagnosis, admitted_at, discharged_at, disposition
  FROM encounter WHERE rowid >= ?1 ORDER BY rowid
