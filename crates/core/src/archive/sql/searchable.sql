SELECT num, id, name, id_number,
       (SELECT group_concat(number, char(10)) FROM phone WHERE patient_id = patient.id AND removed = 0) AS phones,
       (SELECT max(coalesce(discharged_on, substr(admitted_at, 1, 10))) FROM encounter
        WHERE patient_id = patient.id AND removed = 0) AS last_on
FROM patient
WHERE removed = 0 AND merged_into IS NULL
ORDER BY num
