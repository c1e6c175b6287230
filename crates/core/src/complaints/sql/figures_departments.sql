SELECT department AS name, count(*) AS count FROM complaint_department
WHERE received_on >= ?1 AND received_on <= ?2 AND kind = 'complaint'
GROUP BY department ORDER BY count(*) DESC, department
