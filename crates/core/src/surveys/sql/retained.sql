-- People seen from ?1 to ?2, and of these, those who came again within twelve months of the last time.
-- ?3 department or NULL, ?4 doctor or NULL.
WITH seen AS (
  SELECT patient_id, max(coalesce(discharged_on, substr(admitted_at, 1, 10))) AS last_on
  FROM encounter
  WHERE removed = 0 AND (?3 IS NULL OR department = ?3) AND (?4 IS NULL OR doctor = ?4)
    AND (discharged_on BETWEEN ?1 AND ?2
         OR (kind <> 'inpatient' AND discharged_on IS NULL AND admitted_at IS NOT NULL
             AND admitted_at >= ?1 AND admitted_at < date(?2, '+1 day')))
  GROUP BY patient_id
)
SELECT count(*) AS observed,
       count(CASE WHEN EXISTS (
         SELECT 1 FROM encounter AS later
         WHERE later.patient_id = seen.patient_id AND later.removed = 0
           AND coalesce(substr(later.admitted_at, 1, 10), later.discharged_on) > seen.last_on
           AND coalesce(substr(later.admitted_at, 1, 10), later.discharged_on) <= date(seen.last_on, '+12 months')
       ) THEN 1 END) AS retained
FROM seen JOIN patient ON patient.id = seen.patient_id AND patient.removed = 0 AND patient.deceased = 0
