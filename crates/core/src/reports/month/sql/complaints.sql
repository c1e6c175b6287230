-- 投诉: received from ?1 to ?2 (dates), looked at on the day ?3. One row per complaint, praise or suggestion; flags as
-- complaints/sql/figures.sql counts them.
SELECT
  id                AS record_id,
  received_on       AS on_date,
  coalesce(departments ->> '$[0]', '') AS department,
  severity          AS severity,
  category          AS category,
  kind = 'complaint'  AS complaint,
  kind = 'praise'     AS praise,
  kind = 'suggestion' AS suggestion,
  kind = 'complaint' AND replied_at IS NOT NULL AND date(replied_at / 1000 + 28800, 'unixepoch') <= due_on AS in_time,
  kind = 'complaint' AND (replied_at IS NOT NULL
    OR (due_on < ?3 AND paused_on IS NULL AND status IN ('registered', 'accepted', 'investigating', 'approving', 'replying'))) AS answerable,
  kind = 'complaint' AND coalesce(verdict, '') IN ('founded', 'partly') AS founded,
  kind = 'complaint' AND verdict IS NOT NULL AS judged,
  kind = 'complaint' AND coalesce(attitude, '') IN ('satisfied', 'fairly') AS satisfied,
  kind = 'complaint' AND coalesce(attitude, '') IN ('satisfied', 'fairly', 'dissatisfied') AS rated,
  kind = 'complaint' AND reopened = 1 AS reopened,
  kind = 'complaint' AND (status = 'closed' OR reopened = 1) AS closed
FROM complaint WHERE received_on BETWEEN ?1 AND ?2
