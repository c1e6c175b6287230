SELECT
  count(*) FILTER (WHERE kind = 'complaint') AS complaints,
  count(*) FILTER (WHERE kind = 'praise') AS praise,
  count(*) FILTER (WHERE kind = 'suggestion') AS suggestions,
  -- Answered, or past its day and not: what was withdrawn, passed on or not accepted owes no answer.
  count(*) FILTER (WHERE kind = 'complaint' AND replied_at IS NOT NULL AND date(replied_at / 1000 + 28800, 'unixepoch') <= due_on) AS in_time,
  count(*) FILTER (WHERE kind = 'complaint' AND (replied_at IS NOT NULL
    OR (due_on < ?3 AND paused_on IS NULL AND status IN ('registered', 'accepted', 'investigating', 'approving', 'replying')))) AS answerable,
  count(*) FILTER (WHERE kind = 'complaint' AND verdict IN ('founded', 'partly')) AS founded,
  count(*) FILTER (WHERE kind = 'complaint' AND verdict IS NOT NULL) AS judged,
  count(*) FILTER (WHERE kind = 'complaint' AND attitude IN ('satisfied', 'fairly')) AS satisfied,
  count(*) FILTER (WHERE kind = 'complaint' AND attitude IN ('satisfied', 'fairly', 'dissatisfied')) AS rated,
  count(*) FILTER (WHERE kind = 'complaint' AND reopened = 1) AS reopened,
  count(*) FILTER (WHERE kind = 'complaint' AND (status = 'closed' OR reopened = 1)) AS closed
FROM complaint WHERE received_on >= ?1 AND received_on <= ?2
