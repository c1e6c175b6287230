-- Stays with a response that stands, as the view standing_response says, from id ?1 on.
SELECT encounter_id, 1 FROM response WHERE encounter_id >= ?1 AND withdrawn = 0
  AND NOT EXISTS (SELECT 1 FROM response AS later WHERE later.replaces_id = response.id) ORDER BY encounter_id
