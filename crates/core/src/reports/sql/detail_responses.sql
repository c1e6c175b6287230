-- Responses that stand, as the view standing_response says, from row ?1 on.
SELECT rowid, results, responded_at FROM response WHERE rowid >= ?1 AND withdrawn = 0
  AND NOT EXISTS (SELECT 1 FROM response AS later WHERE later.replaces_id = response.id) ORDER BY rowid
