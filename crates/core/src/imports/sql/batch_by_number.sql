SELECT import_batch.id, number, file_name, format, encoding, started_at, finished_at,
       coalesce(staff.display_name, '') AS user, rows, created, updated, unchanged, rejected, left_out, warnings,
       duplicates, undone_at,
       EXISTS (
         SELECT 1 FROM import_span
         WHERE import_span.batch = import_batch.number AND import_span.at_millis = import_batch.started_at
       ) AS here
FROM import_batch
LEFT JOIN staff ON staff.id = import_batch.user_id
WHERE number = ?1 ORDER BY here DESC, started_at DESC
LIMIT 1
