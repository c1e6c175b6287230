-- A complaint, praise or suggestion. Every field but those it was made with moves by a judged command only
-- (aftercare_domain::complaint). Patient and stay are kept as they were told: the dossier must not change with the archive.
CREATE TABLE complaint (
  id                   BLOB    NOT NULL PRIMARY KEY,
  number               TEXT    NOT NULL,             -- 2026-7K3F-00012: year, desk, the desk's own count
  kind                 TEXT    NOT NULL,             -- complaint, praise, suggestion
  -- How it came; never changed.
  received_at          INTEGER NOT NULL,
  received_on          TEXT    NOT NULL,
  first_receiver       TEXT    NOT NULL,             -- 首诉责任人
  first_department     TEXT    NOT NULL DEFAULT '',
  registered_at        INTEGER NOT NULL,
  registered_by        BLOB    NOT NULL,
  site_id              BLOB,
  call_id              BLOB,
  alert_id             BLOB,
  response_id          BLOB,
  -- What was registered; corrected by `amend`.
  channel              TEXT    NOT NULL,
  anonymous            INTEGER NOT NULL DEFAULT 0,
  complainant          TEXT    NOT NULL DEFAULT '',
  complainant_relation TEXT    NOT NULL DEFAULT '',  -- GB/T 4761
  complainant_phone    TEXT    NOT NULL DEFAULT '',
  complainant_id       TEXT    NOT NULL DEFAULT '',  -- ID number, if given
  authorisation        TEXT    NOT NULL DEFAULT '',  -- 授权材料
  patient_id           BLOB,
  patient_name         TEXT    NOT NULL DEFAULT '',
  patient_sex          TEXT    NOT NULL DEFAULT '0',
  patient_age          INTEGER,
  patient_mrn          TEXT    NOT NULL DEFAULT '',
  patient_visit_no     TEXT    NOT NULL DEFAULT '',
  visit_department     TEXT    NOT NULL DEFAULT '',
  visited_on           TEXT,
  doctor               TEXT    NOT NULL DEFAULT '',
  happened_at          TEXT,                         -- 'YYYY-MM-DD' or 'YYYY-MM-DD HH:MM'
  happened_where       TEXT    NOT NULL DEFAULT '',
  departments          TEXT    NOT NULL DEFAULT '[]', -- JSON names, the lead first
  accused              TEXT    NOT NULL DEFAULT '[]', -- JSON {name, department, staff_id}
  category             TEXT    NOT NULL,
  subcategory          TEXT    NOT NULL DEFAULT '',
  confidential         INTEGER NOT NULL DEFAULT 0,
  summary              TEXT    NOT NULL,
  demand               TEXT    NOT NULL DEFAULT '',
  evidence             TEXT    NOT NULL DEFAULT '',
  confirmation         TEXT    NOT NULL DEFAULT '',  -- signature or number of the recording
  severity             TEXT    NOT NULL,
  harm                 INTEGER NOT NULL DEFAULT 0,   -- somebody's safety is at stake
  risks                TEXT    NOT NULL DEFAULT '[]', -- JSON codes
  deadline_rule        TEXT    NOT NULL DEFAULT '',
  -- Where it stands.
  status               TEXT    NOT NULL,
  due_on               TEXT,
  respond_by           INTEGER,                      -- first response, milliseconds UTC
  paused_on            TEXT,
  pause_reason         TEXT,
  wanted_until         TEXT,
  wanted_by            BLOB,
  accepted_at          INTEGER,
  investigator_id      BLOB,
  finding              TEXT    NOT NULL DEFAULT '',  -- 调查经过, internal
  verdict              TEXT,
  resolutions          TEXT    NOT NULL DEFAULT '[]', -- JSON codes
  measures             TEXT    NOT NULL DEFAULT '',  -- 改进措施
  reply                TEXT    NOT NULL DEFAULT '',  -- what the complainant is told
  replied_at           INTEGER,
  reply_way            TEXT,
  attitude             TEXT,
  end_reason           TEXT,
  ended_at             INTEGER,
  reopened             INTEGER NOT NULL DEFAULT 0,
  last_step            BLOB,                         -- end of the chain of its steps
  steps                INTEGER NOT NULL DEFAULT 0,
  edited_at            INTEGER NOT NULL DEFAULT 0    -- last move
) STRICT;
CREATE INDEX complaint_by_number ON complaint (number);
CREATE INDEX complaint_by_patient ON complaint (patient_id, received_at) WHERE patient_id IS NOT NULL;
CREATE INDEX complaint_by_received ON complaint (received_at, id);
CREATE INDEX complaint_by_status ON complaint (status, kind, received_at, id);
CREATE INDEX complaint_by_due ON complaint (due_on, id)
  WHERE due_on IS NOT NULL AND status IN ('registered', 'accepted', 'investigating', 'approving', 'replying');
CREATE INDEX complaint_by_investigator ON complaint (investigator_id, received_at) WHERE investigator_id IS NOT NULL;
CREATE INDEX complaint_by_registrar ON complaint (registered_by, received_at);
CREATE INDEX complaint_by_day ON complaint (received_on, category);
CREATE INDEX complaint_by_call ON complaint (call_id) WHERE call_id IS NOT NULL;
CREATE INDEX complaint_by_alert ON complaint (alert_id) WHERE alert_id IS NOT NULL;

-- What was done, step by step, linked by hash. A step that is not on the chain that ends at complaint.last_step
-- was written at a desk that did not know of a faster one; its move did not count.
CREATE TABLE complaint_step (
  id           BLOB    NOT NULL PRIMARY KEY,
  complaint_id BLOB    NOT NULL,
  previous_id  BLOB,
  ordinal      INTEGER NOT NULL,
  name         TEXT    NOT NULL,                     -- register or the move
  body         TEXT    NOT NULL,                     -- JSON: text, form, changed fields with before and after
  at           INTEGER NOT NULL,
  user_id      BLOB    NOT NULL,
  hash         BLOB    NOT NULL
) STRICT;
CREATE INDEX complaint_step_by_complaint ON complaint_step (complaint_id, ordinal);

CREATE TABLE complaint_note (
  id           BLOB    NOT NULL PRIMARY KEY,
  complaint_id BLOB    NOT NULL,
  kind         TEXT    NOT NULL,                     -- internal, visible, improvement, revisit
  body         TEXT    NOT NULL,
  at           INTEGER NOT NULL,
  user_id      BLOB    NOT NULL
) STRICT;
CREATE INDEX complaint_note_by_complaint ON complaint_note (complaint_id, at);

CREATE TABLE complaint_promise (
  id           BLOB    NOT NULL PRIMARY KEY,
  complaint_id BLOB    NOT NULL,
  promise      TEXT    NOT NULL,
  due_on       TEXT    NOT NULL,
  made_at      INTEGER NOT NULL,
  made_by      BLOB    NOT NULL,
  kept_at      INTEGER,
  kept_by      BLOB,
  kept_how     TEXT
) STRICT;
CREATE INDEX complaint_promise_by_complaint ON complaint_promise (complaint_id, due_on);
CREATE INDEX complaint_promise_open ON complaint_promise (due_on) WHERE kept_at IS NULL;

-- Local, derived from complaint by the triggers below, whoever writes it: one row for each department and person.
CREATE TABLE complaint_department (
  complaint_id BLOB    NOT NULL,
  department   TEXT    NOT NULL,
  lead         INTEGER NOT NULL,
  category     TEXT    NOT NULL,
  kind         TEXT    NOT NULL,
  status       TEXT    NOT NULL,
  received_on  TEXT    NOT NULL,
  received_at  INTEGER NOT NULL,
  PRIMARY KEY (complaint_id, department)
) STRICT, WITHOUT ROWID;
CREATE INDEX complaint_department_by_time ON complaint_department (department, received_at, complaint_id, status);
CREATE INDEX complaint_department_similar ON complaint_department (department, category, received_on) WHERE kind = 'complaint';
CREATE INDEX complaint_department_by_day ON complaint_department (received_on, department, category) WHERE kind = 'complaint';
CREATE TABLE complaint_person (
  complaint_id BLOB    NOT NULL,
  place        INTEGER NOT NULL,
  name         TEXT    NOT NULL,
  department   TEXT    NOT NULL,
  staff_id     TEXT,
  PRIMARY KEY (complaint_id, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX complaint_person_by_staff ON complaint_person (staff_id) WHERE staff_id IS NOT NULL;

CREATE TRIGGER complaint_made AFTER INSERT ON complaint BEGIN
  INSERT OR IGNORE INTO complaint_department (complaint_id, department, lead, category, kind, status, received_on, received_at)
    SELECT new.id, one.value, one.key = 0, new.category, new.kind, new.status, new.received_on, new.received_at
    FROM json_each(CASE WHEN json_valid(new.departments) THEN new.departments ELSE '[]' END) AS one;
  INSERT OR IGNORE INTO complaint_person (complaint_id, place, name, department, staff_id)
    SELECT new.id, one.key, coalesce(one.value ->> 'name', ''), coalesce(one.value ->> 'department', ''), one.value ->> 'staff_id'
    FROM json_each(CASE WHEN json_valid(new.accused) THEN new.accused ELSE '[]' END) AS one;
END;
CREATE TRIGGER complaint_changed AFTER UPDATE OF departments, accused, category, kind, status ON complaint BEGIN
  DELETE FROM complaint_department WHERE complaint_id = new.id;
  DELETE FROM complaint_person WHERE complaint_id = new.id;
  INSERT OR IGNORE INTO complaint_department (complaint_id, department, lead, category, kind, status, received_on, received_at)
    SELECT new.id, one.value, one.key = 0, new.category, new.kind, new.status, new.received_on, new.received_at
    FROM json_each(CASE WHEN json_valid(new.departments) THEN new.departments ELSE '[]' END) AS one;
  INSERT OR IGNORE INTO complaint_person (complaint_id, place, name, department, staff_id)
    SELECT new.id, one.key, coalesce(one.value ->> 'name', ''), coalesce(one.value ->> 'department', ''), one.value ->> 'staff_id'
    FROM json_each(CASE WHEN json_valid(new.accused) THEN new.accused ELSE '[]' END) AS one;
END;
CREATE TRIGGER complaint_gone AFTER DELETE ON complaint BEGIN
  DELETE FROM complaint_department WHERE complaint_id = old.id;
  DELETE FROM complaint_person WHERE complaint_id = old.id;
END;

-- Local: how many numbers of its own ranges this desk has given.
CREATE TABLE complaint_range (
  range TEXT    NOT NULL PRIMARY KEY,
  used  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
