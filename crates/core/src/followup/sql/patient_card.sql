SELECT name, sex, birth_on, age_text, mrn, id_number, vip, deceased, contact_optout, best_hour, dialect,
       allergies, hobbies, habits, wishes, preferences, remark
FROM patient
WHERE id = ?1
