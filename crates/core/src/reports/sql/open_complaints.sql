-- 未结投诉, one row per complaint that is open "today", whenever it came. Received since "five" they are up to five working
-- days old, since "ten" up to ten.
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
  complaint.received_on >= 'five' AS to_5,
  complaint.received_on < 'five' AND complaint.received_on >= 'ten' AS to_10,
  complaint.received_on < 'ten' AS over_10,
  coalesce(complaint.due_on < 'today', 0) AND complaint.paused_on IS NULL
    AND complaint.status IN ('registered', 'accepted', 'investigating', 'approving', 'replying') AS overdue
FROM complaint
WHERE true /* within */
  AND complaint.kind = 'complaint'
  AND complaint.status IN ('registered', 'accepted', 'investigating', 'approving', 'replying', 'replied', 'rated')
