-- Patients from number ?1 on, and whether they may be called.
SELECT num, mrn, name,
  deceased = 0 AND contact_optout = 'none' AND is_test = 0 AND is_unknown = 0
  FROM patient WHERE num >= ?1 ORDER BY num
