-- Calls that stand, as the view standing_call says, from row ?1 on: a view has no row numbers.
SELECT rowid, tasks, called_at, outcome, reason, talk_seconds, remark, user_id
  FROM call WHERE rowid >= ?1 AND outcome <> 'withdrawn'
  AND NOT EXISTS (SELECT 1 FROM call AS later WHERE later.replaces_id = call.id) ORDER BY rowid
