-- ?1 the instant that ids of a batch carry.
SELECT b.id, b.started_at AS at, s.display_name AS by, 'imported' AS code,
       json_object('batch', b.number, 'file', b.file_name) AS params
FROM import_batch b LEFT JOIN staff s ON s.id = b.user_id
WHERE b.started_at = ?1 AND b.undone_at IS NULL
ORDER BY b.id
