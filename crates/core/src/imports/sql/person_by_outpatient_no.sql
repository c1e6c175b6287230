SELECT id, mrn, name, sex, birth_on, id_number, address, deceased, deceased_on, merged_into
FROM patient
WHERE outpatient_no = ?1 AND removed = 0
