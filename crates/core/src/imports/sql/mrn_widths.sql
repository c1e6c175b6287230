SELECT DISTINCT length(mrn) AS width
FROM (SELECT mrn FROM patient WHERE mrn >= '0' AND mrn < '1' LIMIT 500)
