SELECT theirs.id
FROM encounter theirs
WHERE theirs.patient_id = ?2 AND theirs.removed = 0
  AND NOT EXISTS (
    SELECT 1 FROM encounter mine
    WHERE mine.patient_id = ?1 AND mine.removed = 0 AND mine.visit_no = theirs.visit_no
      AND mine.discharged_on IS theirs.discharged_on)
