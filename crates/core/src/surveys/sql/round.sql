SELECT round.title, round.kind, round.form_code, round.form_version, round.visits_from, round.visits_to, round.method,
       round.seed, round.per_department, round.counts, round.handed_out, round.status, round.made_at,
       coalesce((SELECT display_name FROM staff WHERE staff.id = round.made_by), '') AS made_by,
       (SELECT count(*) FROM survey_invite WHERE round_id = round.id AND status <> 'left_out') AS invited,
       (SELECT count(*) FROM survey_invite WHERE round_id = round.id AND status = 'open') AS open,
       (SELECT count(*) FROM survey_invite WHERE round_id = round.id AND status = 'answered') AS answered,
       (SELECT count(*) FROM survey_invite WHERE round_id = round.id AND status = 'invalid') AS invalid,
       (SELECT count(*) FROM survey_invite WHERE round_id = round.id AND status = 'refused') AS refused,
       (SELECT count(*) FROM survey_invite WHERE round_id = round.id AND status = 'unreached') AS unreached,
       (SELECT count(*) FROM survey_standing WHERE round_id = round.id AND withdrawn = 0) AS sheets,
       (SELECT count(*) FROM survey_standing WHERE round_id = round.id AND withdrawn = 0 AND valid = 1) AS valid
FROM survey_round AS round WHERE round.id = ?1
