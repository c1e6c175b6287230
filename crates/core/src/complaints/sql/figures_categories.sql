SELECT category AS name, count(*) AS count FROM complaint
WHERE received_on >= ?1 AND received_on <= ?2 AND kind = 'complaint'
GROUP BY category ORDER BY count(*) DESC, category
