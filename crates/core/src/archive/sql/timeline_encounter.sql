SELECT id, coalesce(discharged_at, admitted_at) AS clock, NULL AS by,
       iif(discharged_at IS NULL, 'admitted', 'discharged') AS code,
       json_object('department', department, 'diagnosis', diagnosis, 'visit_no', visit_no,
                   'days', length_of_stay_days) AS params
FROM encounter
WHERE patient_id = ?1 AND removed = 0 AND coalesce(discharged_at, admitted_at) IS NOT NULL
