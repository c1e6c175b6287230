SELECT id, mrn, name, sex, birth_on, id_number, address, deceased, deceased_on, merged_into
FROM patient
WHERE name = ?1 AND birth_on = ?2 AND removed = 0
LIMIT 20
