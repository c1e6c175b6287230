SELECT p.num, i.search_row
FROM patient p LEFT JOIN archive_indexed i ON i.num = p.num
WHERE p.id = ?1
