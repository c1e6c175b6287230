SELECT row, outcome, problems, cells
FROM import_row
WHERE batch = ?1 AND problems IS NOT NULL
ORDER BY row
