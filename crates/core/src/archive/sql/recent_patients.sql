SELECT patient_id
FROM encounter
WHERE discharged_on IS NOT NULL AND removed = 0
ORDER BY discharged_on DESC
