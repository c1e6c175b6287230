SELECT mrn, outpatient_no, card_no, name, sex, birth_on, age_text, id_type, id_number, nationality, ethnicity,
       marital, occupation, employer, address, native_place, blood_type, allergies, insurance, first_seen_on,
       hobbies, habits, wishes, preferences, feedback, remark, best_hour, dialect, vip, customer_kind, customer_of,
       is_test, is_unknown, contact_optout, deceased, deceased_on, deceased_how
FROM patient
WHERE id = ?1 AND removed = 0
