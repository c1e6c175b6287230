SELECT DISTINCT trim(department) AS department FROM
  (SELECT department FROM encounter WHERE discharged_on IS NOT NULL ORDER BY discharged_on DESC LIMIT 500)
