SELECT id, name, sex, birth_on, age_text, mrn, outpatient_no, card_no, id_number, deceased, contact_optout
FROM patient
WHERE num = ?1 AND removed = 0 AND merged_into IS NULL
