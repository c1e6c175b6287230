-- ?1 the filter's list, ?2 ?3 the place after which, ?4 the rank before which, ?5 now, ?6 how many.
-- The key is in this order, so the walk ends with the last row of the page.
SELECT rank, patient_num
FROM worklist_tag
WHERE tag = ?1
  AND (rank, patient_num) > (?2, ?3)
  AND rank < ?4
  AND not_before <= ?5
ORDER BY rank, patient_num
LIMIT ?6
