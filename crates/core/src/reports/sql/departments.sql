-- Every department name once, stepping through encounter_by_department.
WITH RECURSIVE names(department) AS (
  SELECT min(department) FROM encounter
  UNION ALL
  SELECT (SELECT min(encounter.department) FROM encounter WHERE encounter.department > names.department)
  FROM names WHERE names.department IS NOT NULL
)
SELECT department FROM names WHERE department IS NOT NULL AND department <> ''
