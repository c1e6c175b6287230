SELECT EXISTS (SELECT 1 FROM call WHERE patient_id = ?1)
    OR EXISTS (SELECT 1 FROM response WHERE patient_id = ?1)
    OR EXISTS (SELECT 1 FROM note WHERE patient_id = ?1)
    OR EXISTS (SELECT 1 FROM consult WHERE patient_id = ?1)
    OR EXISTS (SELECT 1 FROM alert WHERE patient_id = ?1)
    OR EXISTS (SELECT 1 FROM patient_merge WHERE (kept_id = ?1 OR merged_id = ?1) AND undone_at IS NULL)
    OR EXISTS (
         SELECT 1 FROM field_clock
         WHERE record_id = ?1
           AND effective_hlc <= ?2
           AND NOT EXISTS (
                 SELECT 1 FROM import_span
                 WHERE effective_hlc BETWEEN first_hlc AND last_hlc))
