-- A batch of a satisfaction survey: which stays or visits, with which questionnaire, how they are drawn.
CREATE TABLE survey_round (
  id             BLOB    NOT NULL PRIMARY KEY,
  title          TEXT    NOT NULL,
  kind           TEXT    NOT NULL,                   -- outpatient, inpatient, contact
  form_code      TEXT    NOT NULL,
  form_version   INTEGER NOT NULL,
  visits_from    TEXT    NOT NULL,                   -- discharged or seen in these days
  visits_to      TEXT    NOT NULL,
  method         TEXT    NOT NULL,                   -- sample (drawn by department), all, open (nobody is invited)
  seed           INTEGER NOT NULL,
  per_department INTEGER NOT NULL,
  counts         TEXT    NOT NULL DEFAULT '{}',      -- JSON: frame, drawn, left out by reason
  handed_out     INTEGER NOT NULL DEFAULT 0,         -- paper sheets given out
  site_id        BLOB    NOT NULL,
  status         TEXT    NOT NULL,                   -- open, closed
  made_at        INTEGER NOT NULL,
  made_by        BLOB    NOT NULL,
  closed_at      INTEGER,
  closed_by      BLOB
) STRICT;
CREATE INDEX survey_round_by_time ON survey_round (made_at, id);

-- Somebody drawn for a round: who is to be telephoned.
CREATE TABLE survey_invite (
  id           BLOB    NOT NULL PRIMARY KEY,
  round_id     BLOB    NOT NULL,
  patient_id   BLOB    NOT NULL,
  encounter_id BLOB,
  kind         TEXT    NOT NULL,
  site_id      BLOB    NOT NULL,
  department   TEXT    NOT NULL DEFAULT '',
  doctor       TEXT    NOT NULL DEFAULT '',
  visited_on   TEXT    NOT NULL,
  invited_on   TEXT    NOT NULL,
  guardian     INTEGER NOT NULL DEFAULT 0,           -- a minor: the guardian answers
  place        INTEGER NOT NULL DEFAULT 0,           -- order of the draw
  assigned_to  BLOB,
  status       TEXT    NOT NULL,                     -- open, answered, invalid, refused, unreached, left_out
  attempts     INTEGER NOT NULL DEFAULT 0,
  next_try_at  INTEGER,
  reason       TEXT,                                 -- of the last attempt
  settled_at   INTEGER,
  sheet_id     BLOB
) STRICT;
CREATE INDEX survey_invite_by_round ON survey_invite (round_id, status, place);
CREATE INDEX survey_invite_by_patient ON survey_invite (patient_id, invited_on);
CREATE INDEX survey_invite_by_day ON survey_invite (invited_on, id);

-- An answered sheet. A correction is another sheet with the same root; the latest of a root counts.
-- Points are on the five-point scale, in ten-thousandths: whole numbers add up to the same sum in any order.
CREATE TABLE survey_sheet (
  id             BLOB    NOT NULL PRIMARY KEY,
  root_id        BLOB    NOT NULL,                   -- the first sheet; its own id for that one
  replaces_id    BLOB,
  withdrawn      INTEGER NOT NULL DEFAULT 0,
  why            TEXT    NOT NULL DEFAULT '',        -- of a correction
  round_id       BLOB,
  invite_id      BLOB,
  call_id        BLOB,
  kind           TEXT    NOT NULL,
  form_code      TEXT    NOT NULL,
  form_version   INTEGER NOT NULL,
  channel        TEXT    NOT NULL,                   -- phone, screen, paper
  sheet_no       TEXT    NOT NULL DEFAULT '',        -- printed on the paper
  patient_id     BLOB,
  encounter_id   BLOB,
  site_id        BLOB    NOT NULL,
  department     TEXT    NOT NULL DEFAULT '',
  doctor         TEXT    NOT NULL DEFAULT '',
  visited_on     TEXT,
  answered_on    TEXT    NOT NULL,
  seconds        INTEGER,
  answers        TEXT    NOT NULL,                   -- JSON as given
  results        TEXT    NOT NULL,                   -- JSON: dimensions [{code, points, good, rated}], alerts
  points         INTEGER,                            -- weighted overall
  valid          INTEGER NOT NULL,
  invalid_reason TEXT,                               -- too_few, all_same, too_fast
  nps            INTEGER,                            -- 0-10
  overall        INTEGER,                            -- 1-5: the question for the whole
  come_back      TEXT,                               -- yes, maybe, no
  lowest         INTEGER,                            -- lowest points of any question, 1-5
  caller         TEXT    NOT NULL DEFAULT '',        -- who asked at the time
  caller_id      BLOB,
  entered_at     INTEGER NOT NULL,
  entered_by     BLOB    NOT NULL
) STRICT;
CREATE INDEX survey_sheet_by_root ON survey_sheet (root_id, entered_at);
CREATE INDEX survey_sheet_by_invite ON survey_sheet (invite_id) WHERE invite_id IS NOT NULL;
CREATE INDEX survey_sheet_by_patient ON survey_sheet (patient_id, answered_on) WHERE patient_id IS NOT NULL;
CREATE INDEX survey_sheet_by_number ON survey_sheet (sheet_no) WHERE sheet_no <> '';

-- Local, derived from survey_sheet by the triggers below, whoever writes it: the sheet of each root that counts,
-- and sums by day and by month, so that a year of any size is read from some thousand rows.
CREATE TABLE survey_standing (
  root_id     BLOB    NOT NULL PRIMARY KEY,
  sheet_id    BLOB    NOT NULL,
  entered_at  INTEGER NOT NULL,
  withdrawn   INTEGER NOT NULL,
  kind        TEXT    NOT NULL,
  answered_on TEXT    NOT NULL,
  site_id     BLOB    NOT NULL,
  department  TEXT    NOT NULL,
  doctor      TEXT    NOT NULL,
  valid       INTEGER NOT NULL,
  round_id    BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX survey_standing_by_day ON survey_standing (answered_on, root_id);
CREATE INDEX survey_standing_by_department ON survey_standing (department, answered_on, root_id);
CREATE INDEX survey_standing_by_doctor ON survey_standing (doctor, answered_on, root_id);
CREATE INDEX survey_standing_by_round ON survey_standing (round_id, answered_on, root_id) WHERE round_id IS NOT NULL;

CREATE TABLE survey_total (
  grain          TEXT    NOT NULL,                   -- d: a day; m: a month, named by its first day
  starts_on      TEXT    NOT NULL,
  kind           TEXT    NOT NULL,
  site_id        BLOB    NOT NULL,
  department     TEXT    NOT NULL,
  dimension      TEXT    NOT NULL,                   -- '' for the whole
  sheets         INTEGER NOT NULL DEFAULT 0,
  valid          INTEGER NOT NULL DEFAULT 0,
  scored         INTEGER NOT NULL DEFAULT 0,         -- valid sheets with points
  points         INTEGER NOT NULL DEFAULT 0,         -- sum
  squares        INTEGER NOT NULL DEFAULT 0,         -- sum of squares
  good           INTEGER NOT NULL DEFAULT 0,         -- satisfied or very satisfied
  rated          INTEGER NOT NULL DEFAULT 0,         -- rated at all
  promoters      INTEGER NOT NULL DEFAULT 0,
  detractors     INTEGER NOT NULL DEFAULT 0,
  recommending   INTEGER NOT NULL DEFAULT 0,         -- answered the question of recommending
  come_back      INTEGER NOT NULL DEFAULT 0,
  come_back_asked   INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (grain, starts_on, kind, site_id, department, dimension)
) STRICT, WITHOUT ROWID;

-- The same for a doctor, only for the whole.
CREATE TABLE survey_doctor_total (
  grain          TEXT    NOT NULL,
  starts_on      TEXT    NOT NULL,
  kind           TEXT    NOT NULL,
  site_id        BLOB    NOT NULL,
  department     TEXT    NOT NULL,
  doctor         TEXT    NOT NULL,
  sheets         INTEGER NOT NULL DEFAULT 0,
  valid          INTEGER NOT NULL DEFAULT 0,
  scored         INTEGER NOT NULL DEFAULT 0,
  points         INTEGER NOT NULL DEFAULT 0,
  squares        INTEGER NOT NULL DEFAULT 0,
  good           INTEGER NOT NULL DEFAULT 0,
  rated          INTEGER NOT NULL DEFAULT 0,
  promoters      INTEGER NOT NULL DEFAULT 0,
  detractors     INTEGER NOT NULL DEFAULT 0,
  recommending   INTEGER NOT NULL DEFAULT 0,
  come_back      INTEGER NOT NULL DEFAULT 0,
  come_back_asked   INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (grain, starts_on, kind, site_id, department, doctor)
) STRICT, WITHOUT ROWID;

CREATE TABLE survey_invite_total (
  grain      TEXT    NOT NULL,
  starts_on  TEXT    NOT NULL,
  kind       TEXT    NOT NULL,
  site_id    BLOB    NOT NULL,
  department TEXT    NOT NULL,
  invited    INTEGER NOT NULL DEFAULT 0,
  answered   INTEGER NOT NULL DEFAULT 0,             -- with a valid sheet
  PRIMARY KEY (grain, starts_on, kind, site_id, department)
) STRICT, WITHOUT ROWID;

-- One row of a sheet's part in the sums: the whole and each dimension. Only valid sheets bring points.
CREATE VIEW survey_part AS
  SELECT id AS sheet_id, '' AS dimension, 1 AS sheets, valid,
         valid AND points IS NOT NULL AS scored,
         CASE WHEN valid THEN coalesce(points, 0) ELSE 0 END AS points,
         valid AND coalesce(overall, 0) >= 4 AS good,
         valid AND overall IS NOT NULL AS rated,
         valid AND coalesce(nps, 0) >= 9 AS promoters,
         valid AND coalesce(nps, 10) <= 6 AS detractors,
         valid AND nps IS NOT NULL AS recommending,
         valid AND coalesce(come_back, '') = 'yes' AS come_back,
         valid AND come_back IS NOT NULL AS come_back_asked
  FROM survey_sheet WHERE withdrawn = 0
  UNION ALL
  SELECT survey_sheet.id, part.value ->> 'code', 1, valid, valid AND part.value ->> 'points' IS NOT NULL,
         CASE WHEN valid THEN coalesce(part.value ->> 'points', 0) ELSE 0 END,
         CASE WHEN valid THEN coalesce(part.value ->> 'good', 0) ELSE 0 END,
         CASE WHEN valid THEN coalesce(part.value ->> 'rated', 0) ELSE 0 END, 0, 0, 0, 0, 0
  FROM survey_sheet,
       json_each(CASE WHEN json_valid(results) THEN results ELSE '{}' END, '$.dimensions') AS part
  WHERE withdrawn = 0 AND coalesce(part.value ->> 'code', '') <> '';

-- Written to, this adds a sheet to the sums (sign 1) or takes it out (sign -1).
CREATE VIEW survey_count AS SELECT NULL AS sheet_id, NULL AS sign WHERE 0;
CREATE TRIGGER survey_counted INSTEAD OF INSERT ON survey_count BEGIN
  INSERT INTO survey_total (grain, starts_on, kind, site_id, department, dimension, sheets, valid, scored, points, squares,
                            good, rated, promoters, detractors, recommending, come_back, come_back_asked)
    SELECT grain.value, CASE grain.value WHEN 'd' THEN answered_on ELSE substr(answered_on, 1, 7) || '-01' END, kind,
           site_id, department, part.dimension, new.sign * part.sheets, new.sign * part.valid, new.sign * part.scored,
           new.sign * part.points, new.sign * part.points * part.points, new.sign * part.good, new.sign * part.rated,
           new.sign * part.promoters, new.sign * part.detractors, new.sign * part.recommending,
           new.sign * part.come_back, new.sign * part.come_back_asked
    FROM survey_sheet AS sheet JOIN survey_part AS part ON part.sheet_id = new.sheet_id, json_each('["d","m"]') AS grain
    WHERE sheet.id = new.sheet_id
    ON CONFLICT DO UPDATE SET
      sheets = sheets + excluded.sheets, valid = valid + excluded.valid, scored = scored + excluded.scored,
      points = points + excluded.points, squares = squares + excluded.squares, good = good + excluded.good,
      rated = rated + excluded.rated, promoters = promoters + excluded.promoters,
      detractors = detractors + excluded.detractors, recommending = recommending + excluded.recommending,
      come_back = come_back + excluded.come_back, come_back_asked = come_back_asked + excluded.come_back_asked;
  INSERT INTO survey_doctor_total (grain, starts_on, kind, site_id, department, doctor, sheets, valid, scored, points, squares,
                            good, rated, promoters, detractors, recommending, come_back, come_back_asked)
    SELECT grain.value, CASE grain.value WHEN 'd' THEN answered_on ELSE substr(answered_on, 1, 7) || '-01' END, kind,
           site_id, department, doctor, new.sign * part.sheets, new.sign * part.valid, new.sign * part.scored,
           new.sign * part.points, new.sign * part.points * part.points, new.sign * part.good, new.sign * part.rated,
           new.sign * part.promoters, new.sign * part.detractors, new.sign * part.recommending,
           new.sign * part.come_back, new.sign * part.come_back_asked
    FROM survey_sheet AS sheet JOIN survey_part AS part ON part.sheet_id = new.sheet_id, json_each('["d","m"]') AS grain
    WHERE sheet.id = new.sheet_id AND part.dimension = '' AND sheet.doctor <> ''
    ON CONFLICT DO UPDATE SET
      sheets = sheets + excluded.sheets, valid = valid + excluded.valid, scored = scored + excluded.scored,
      points = points + excluded.points, squares = squares + excluded.squares, good = good + excluded.good,
      rated = rated + excluded.rated, promoters = promoters + excluded.promoters,
      detractors = detractors + excluded.detractors, recommending = recommending + excluded.recommending,
      come_back = come_back + excluded.come_back, come_back_asked = come_back_asked + excluded.come_back_asked;
END;

CREATE TRIGGER survey_standing_made AFTER INSERT ON survey_standing BEGIN
  INSERT INTO survey_count (sheet_id, sign) VALUES (new.sheet_id, 1);
END;
CREATE TRIGGER survey_standing_gone AFTER DELETE ON survey_standing BEGIN
  INSERT INTO survey_count (sheet_id, sign) VALUES (old.sheet_id, -1);
END;

-- Two desks may correct one sheet without knowing of each other: the later correction counts, in whatever order they come.
CREATE TRIGGER survey_sheet_made AFTER INSERT ON survey_sheet BEGIN
  DELETE FROM survey_standing WHERE root_id = new.root_id AND (entered_at, sheet_id) < (new.entered_at, new.id);
  INSERT OR IGNORE INTO survey_standing (root_id, sheet_id, entered_at, withdrawn, kind, answered_on, site_id, department,
                                         doctor, valid, round_id)
    VALUES (new.root_id, new.id, new.entered_at, new.withdrawn, new.kind, new.answered_on, new.site_id, new.department,
            new.doctor, new.valid, new.round_id);
END;
CREATE TRIGGER survey_sheet_going BEFORE DELETE ON survey_sheet BEGIN
  DELETE FROM survey_standing WHERE sheet_id = old.id AND root_id = old.root_id;
END;
CREATE TRIGGER survey_sheet_gone AFTER DELETE ON survey_sheet BEGIN
  INSERT OR IGNORE INTO survey_standing (root_id, sheet_id, entered_at, withdrawn, kind, answered_on, site_id, department,
                                         doctor, valid, round_id)
    SELECT root_id, id, entered_at, withdrawn, kind, answered_on, site_id, department, doctor, valid, round_id
    FROM survey_sheet WHERE root_id = old.root_id ORDER BY entered_at DESC, id DESC LIMIT 1;
END;

-- Rules of questionnaires are as narrow as those of plans.
DROP VIEW restricted_rule;
CREATE VIEW restricted_rule AS
  SELECT plan_version.code AS plan_code, plan_version.version AS plan_version, rule.value ->> 'code' AS rule
  FROM plan_version,
       json_each(plan_version.body, CASE plan_version.kind WHEN 'plan' THEN '$.form.alerts' ELSE '$.alerts' END) AS rule,
       json_each(rule.value, '$.effects') AS effect
  WHERE plan_version.kind IN ('plan', 'questionnaire') AND effect.value = 'restrict';

-- Visits have no day of discharge: a round finds them by the day they began.
CREATE INDEX encounter_by_visit ON encounter (admitted_at) WHERE kind <> 'inpatient' AND admitted_at IS NOT NULL;

CREATE TRIGGER survey_invite_made AFTER INSERT ON survey_invite BEGIN
  INSERT INTO survey_invite_total (grain, starts_on, kind, site_id, department, invited, answered)
    SELECT grain.value, CASE grain.value WHEN 'd' THEN new.invited_on ELSE substr(new.invited_on, 1, 7) || '-01' END,
           new.kind, new.site_id, new.department, new.status <> 'left_out', new.status = 'answered'
    FROM json_each('["d","m"]') AS grain WHERE true
    ON CONFLICT DO UPDATE SET invited = invited + excluded.invited, answered = answered + excluded.answered;
END;
CREATE TRIGGER survey_invite_gone AFTER DELETE ON survey_invite BEGIN
  INSERT INTO survey_invite_total (grain, starts_on, kind, site_id, department, invited, answered)
    SELECT grain.value, CASE grain.value WHEN 'd' THEN old.invited_on ELSE substr(old.invited_on, 1, 7) || '-01' END,
           old.kind, old.site_id, old.department, -(old.status <> 'left_out'), -(old.status = 'answered')
    FROM json_each('["d","m"]') AS grain WHERE true
    ON CONFLICT DO UPDATE SET invited = invited + excluded.invited, answered = answered + excluded.answered;
END;
CREATE TRIGGER survey_invite_changed AFTER UPDATE ON survey_invite
  WHEN (old.status, old.department, old.kind, old.invited_on, old.site_id)
    <> (new.status, new.department, new.kind, new.invited_on, new.site_id) BEGIN
  INSERT INTO survey_invite_total (grain, starts_on, kind, site_id, department, invited, answered)
    SELECT grain.value, CASE grain.value WHEN 'd' THEN old.invited_on ELSE substr(old.invited_on, 1, 7) || '-01' END,
           old.kind, old.site_id, old.department, -(old.status <> 'left_out'), -(old.status = 'answered')
    FROM json_each('["d","m"]') AS grain WHERE true
    ON CONFLICT DO UPDATE SET invited = invited + excluded.invited, answered = answered + excluded.answered;
  INSERT INTO survey_invite_total (grain, starts_on, kind, site_id, department, invited, answered)
    SELECT grain.value, CASE grain.value WHEN 'd' THEN new.invited_on ELSE substr(new.invited_on, 1, 7) || '-01' END,
           new.kind, new.site_id, new.department, new.status <> 'left_out', new.status = 'answered'
    FROM json_each('["d","m"]') AS grain WHERE true
    ON CONFLICT DO UPDATE SET invited = invited + excluded.invited, answered = answered + excluded.answered;
END;
