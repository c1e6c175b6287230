-- 满意度: sheets that count, answered from ?1 to ?2 (dates); ?3 is not asked. One row per sheet; flags as survey_part counts them.
SELECT
  sheet.id          AS record_id,
  sheet.answered_on AS on_date,
  sheet.department  AS department,
  sheet.doctor      AS doctor,
  sheet.kind        AS kind,
  CASE WHEN sheet.valid THEN coalesce(sheet.points, 0) ELSE 0 END AS points,
  1                 AS everyone,
  sheet.valid       AS valid,
  sheet.valid AND sheet.points IS NOT NULL AS scored,
  sheet.valid AND coalesce(sheet.overall, 0) >= 4 AS good,
  sheet.valid AND sheet.overall IS NOT NULL AS rated,
  sheet.valid AND coalesce(sheet.nps, 0) >= 9 AS promoters,
  sheet.valid AND coalesce(sheet.nps, 10) <= 6 AS detractors,
  sheet.valid AND sheet.nps IS NOT NULL AS recommending
FROM survey_standing AS standing JOIN survey_sheet AS sheet ON sheet.id = standing.sheet_id
WHERE standing.answered_on BETWEEN ?1 AND ?2 AND standing.withdrawn = 0 AND (?3 IS NULL OR ?3 IS NOT NULL)
