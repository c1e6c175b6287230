-- ?1 before this number, ?2 beginning of the action, ?3 limit
SELECT audit.seq, audit.at, coalesce(staff.display_name, '') AS user, audit.action, audit.subject_id, audit.detail
FROM audit LEFT JOIN staff ON staff.id = audit.user_id
WHERE audit.seq < ?1 AND substr(audit.action, 1, length(?2)) = ?2
ORDER BY audit.seq DESC
LIMIT ?3
