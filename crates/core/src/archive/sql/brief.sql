SELECT name, sex, birth_on, mrn, deceased, contact_optout, is_test
FROM patient
WHERE id = ?1 AND removed = 0
