SELECT DISTINCT trim(department) AS department FROM (
  SELECT department FROM (SELECT department FROM encounter WHERE discharged_on IS NOT NULL ORDER BY discharged_on DESC LIMIT 2000)
  UNION
  SELECT department FROM survey_total WHERE grain = 'm' AND dimension = ''
) WHERE trim(department) <> '' ORDER BY 1
