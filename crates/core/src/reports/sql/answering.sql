-- ?1 from, ?2 to (dates), ?3 department or null. Calls by weekday (1 Monday) and hour of the hospital's clock.
SELECT
  CAST(strftime('%u', call.called_at / 1000 + 28800, 'unixepoch') AS INTEGER) AS weekday,
  CAST(strftime('%H', call.called_at / 1000 + 28800, 'unixepoch') AS INTEGER) AS hour,
  count(*) AS calls,
  count(*) FILTER (WHERE call.outcome = 'reached') AS connected
FROM standing_call AS call
LEFT JOIN task ON task.id = call.task_id
LEFT JOIN encounter ON encounter.id = task.encounter_id
WHERE call.called_on BETWEEN ?1 AND ?2
  AND (?3 IS NULL OR encounter.department = ?3)
GROUP BY weekday, hour
ORDER BY weekday, hour
