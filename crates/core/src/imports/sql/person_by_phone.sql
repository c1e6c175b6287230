SELECT patient.id, mrn, name, sex, birth_on, id_number, address, deceased, deceased_on, merged_into
FROM phone
JOIN patient ON patient.id = phone.patient_id
WHERE phone.number = ?1 AND phone.removed = 0 AND patient.name = ?2 AND patient.removed = 0
LIMIT 20
