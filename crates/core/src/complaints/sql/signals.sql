SELECT department, category, count(*) AS count FROM complaint_department
WHERE received_on >= ?1 AND received_on <= ?2 AND kind = 'complaint'
GROUP BY department, category HAVING count(*) >= ?3
ORDER BY count(*) DESC, department, category
