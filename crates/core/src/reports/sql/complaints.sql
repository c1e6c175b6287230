-- 投诉, one row per complaint; praise and suggestions are in no figure. "within" narrows them to days they were received.
-- Without a filter of departments counting reads the index alone.
SELECT
  complaint.id          AS record_id,
  complaint.patient_id  AS patient_id,
  complaint.received_on AS on_date,
  complaint.received_on AS at,
  coalesce(complaint.departments ->> '$[0]', '') AS department,
  NULL                  AS plan_code,
  NULL                  AS user_id,
  complaint.site_id     AS site_id,
  complaint.number      AS number,
  complaint.category    AS category,
  1                     AS everyone,
  -- Answered, or past its day and not: what was withdrawn, passed on or not accepted owes no answer.
  complaint.replied_at IS NOT NULL OR (complaint.due_on < 'today' AND complaint.paused_on IS NULL
    AND complaint.status IN ('registered', 'accepted', 'investigating', 'approving', 'replying')) AS answerable,
  complaint.replied_at IS NOT NULL AND date(complaint.replied_at / 1000 + 28800, 'unixepoch') <= complaint.due_on AS in_time
FROM complaint
WHERE true /* within */
  AND complaint.kind = 'complaint'
