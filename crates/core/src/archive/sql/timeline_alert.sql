SELECT a.id, a.raised_at AS at, s.display_name AS by, 'raised' AS code,
       json_object('level', a.level, 'rule', a.rule, 'status', a.status, 'plan', a.plan_code, 'version', a.plan_version) AS params
FROM alert a LEFT JOIN staff s ON s.id = a.raised_by
WHERE a.patient_id = ?1 AND (a.raised_at, a.id) < (?2, ?3)
ORDER BY a.raised_at DESC, a.id DESC
LIMIT ?4
