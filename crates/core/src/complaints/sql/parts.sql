SELECT status, received_at, first_receiver, first_department, registered_at, registered_by, call_id, alert_id, respond_by,
       channel, anonymous, complainant, complainant_relation, complainant_phone, complainant_id, authorisation,
       patient_id, patient_name, patient_sex, patient_age, patient_mrn, patient_visit_no, visit_department, visited_on,
       doctor, happened_at, happened_where, departments, accused, category, subcategory, summary, demand, evidence,
       confirmation, severity, harm, risks, deadline_rule, paused_on, pause_reason, wanted_until, accepted_at,
       investigator_id, finding, verdict, resolutions, measures, reply, replied_at, reply_way, attitude, end_reason, ended_at
FROM complaint WHERE id = ?1
