SELECT name, sex, birth_on, id_number, mrn, address
FROM patient
WHERE id = ?1 AND removed = 0
