SELECT EXISTS (
  SELECT 1 FROM field_clock
  WHERE record_id = ?1
    AND effective_hlc <= ?2
    AND NOT EXISTS (SELECT 1 FROM import_span WHERE effective_hlc BETWEEN first_hlc AND last_hlc))
