-- A patient on a plan because of a discharge.
CREATE TABLE enrolment (
  id            BLOB    NOT NULL PRIMARY KEY,
  patient_id    BLOB    NOT NULL,
  encounter_id  BLOB    NOT NULL,
  plan_code     TEXT    NOT NULL,
  plan_version  INTEGER NOT NULL,
  anchor_on     TEXT    NOT NULL,
  why           TEXT    NOT NULL,                  -- reason code of the choice
  lace          INTEGER,
  risk          INTEGER NOT NULL DEFAULT 0,        -- 0-100, orders the worklist
  state         TEXT    NOT NULL DEFAULT 'active', -- active, finished, stopped, lost
  state_why     TEXT,
  started_at    INTEGER NOT NULL,
  ended_at      INTEGER,
  ended_for     BLOB                               -- the later encounter that ended it, so that undoing revives it
) STRICT;
CREATE INDEX enrolment_by_patient ON enrolment (patient_id);
CREATE INDEX enrolment_by_encounter ON enrolment (encounter_id);

CREATE TABLE task (
  id               BLOB    NOT NULL PRIMARY KEY,
  patient_id       BLOB    NOT NULL,
  enrolment_id     BLOB,
  encounter_id     BLOB,
  kind             TEXT    NOT NULL,               -- plan, extra, manual, return_call
  timepoint        TEXT    NOT NULL,
  occurrence       INTEGER NOT NULL DEFAULT 1,     -- of a repeating timepoint
  label            TEXT    NOT NULL DEFAULT '',    -- what people see: D7, Q2
  anchor_on        TEXT,                           -- what days_since_anchor counts from
  plan_code        TEXT    NOT NULL,
  plan_version     INTEGER NOT NULL,
  form             TEXT    NOT NULL,               -- which part of the plan's form
  channel          TEXT    NOT NULL,
  owner            TEXT    NOT NULL,
  due_on           TEXT    NOT NULL,
  window_starts_on TEXT    NOT NULL,
  window_ends_on   TEXT    NOT NULL,
  condition        TEXT,                           -- CEL, while the task waits
  risk             INTEGER NOT NULL DEFAULT 0,
  red              INTEGER NOT NULL DEFAULT 0,     -- an open red flag hangs on it
  status           TEXT    NOT NULL,
  assigned_to      BLOB,
  claimed_by       BLOB,
  claimed_until    INTEGER,
  attempts         INTEGER NOT NULL DEFAULT 0,
  next_try_at      INTEGER,                        -- not before, from the retry policy or an appointment
  consult_id       BLOB,                           -- the expert's answer that a return call brings
  remark           TEXT,                           -- why a person added it
  ended_at         INTEGER,
  end_reason       TEXT
) STRICT;
CREATE INDEX task_by_patient ON task (patient_id, due_on);
CREATE INDEX task_by_claim ON task (claimed_by) WHERE claimed_by IS NOT NULL;
CREATE INDEX task_by_enrolment ON task (enrolment_id);

CREATE TABLE call (
  id           BLOB    NOT NULL PRIMARY KEY,
  patient_id   BLOB    NOT NULL,
  task_id      BLOB,                               -- the task it was dialled for
  tasks        TEXT    NOT NULL,                   -- JSON list of all tasks it served
  phone_id     BLOB,
  number       TEXT    NOT NULL,
  called_at    INTEGER NOT NULL,
  called_on    TEXT    NOT NULL,                   -- hospital's date, for reports
  talk_seconds INTEGER,
  outcome      TEXT    NOT NULL,                   -- reached, not_reached
  reason       TEXT,                               -- code of failure_reasons
  appointment_at INTEGER,
  remark       TEXT,
  replaces_id  BLOB,                               -- takes back an earlier call; a correction is a new fact
  user_id      BLOB    NOT NULL
) STRICT;
CREATE INDEX call_by_replaced ON call (replaces_id) WHERE replaces_id IS NOT NULL;
CREATE INDEX call_by_patient ON call (patient_id, called_at);
CREATE INDEX call_by_day ON call (called_on);

CREATE TABLE response (
  id           BLOB    NOT NULL PRIMARY KEY,
  task_id      BLOB    NOT NULL,
  patient_id   BLOB    NOT NULL,
  encounter_id BLOB,
  call_id      BLOB,
  plan_code    TEXT    NOT NULL,
  plan_version INTEGER NOT NULL,
  form         TEXT    NOT NULL,
  answers      TEXT    NOT NULL,                   -- JSON, as given
  results      TEXT    NOT NULL,                   -- JSON: class, scores, alerts as evaluated
  responded_at INTEGER NOT NULL,
  responded_on TEXT    NOT NULL,
  replaces_id  BLOB,                               -- a correction is a new fact
  withdrawn    INTEGER NOT NULL DEFAULT 0,         -- only takes back what it replaces
  user_id      BLOB    NOT NULL
) STRICT;
CREATE INDEX response_by_replaced ON response (replaces_id) WHERE replaces_id IS NOT NULL;
CREATE INDEX response_by_task ON response (task_id);
CREATE INDEX response_by_patient ON response (patient_id, responded_at);
CREATE INDEX response_by_day ON response (responded_on);

CREATE TABLE alert (
  id          BLOB    NOT NULL PRIMARY KEY,
  patient_id  BLOB    NOT NULL,
  task_id     BLOB,
  response_id BLOB,
  plan_code   TEXT    NOT NULL,
  plan_version INTEGER NOT NULL,
  rule        TEXT    NOT NULL,                    -- stable code of the rule in the plan
  level       TEXT    NOT NULL,                    -- red, orange, yellow
  say         TEXT    NOT NULL,                    -- JSON zh/en: what was said on the spot
  route       TEXT    NOT NULL,
  raised_at   INTEGER NOT NULL,
  due_at      INTEGER NOT NULL,
  raised_by   BLOB    NOT NULL,
  status      TEXT    NOT NULL,                    -- open, routed, answered, closed
  handled_at  INTEGER,                             -- first handling record
  closed_at   INTEGER,
  closed_by   BLOB,
  closing     TEXT
) STRICT;
CREATE INDEX alert_by_status ON alert (status, due_at);
CREATE INDEX alert_by_patient ON alert (patient_id, raised_at);
CREATE INDEX alert_by_time ON alert (raised_at);

-- What was done about an alert, step by step.
CREATE TABLE alert_step (
  id       BLOB    NOT NULL PRIMARY KEY,
  alert_id BLOB    NOT NULL,
  kind     TEXT    NOT NULL,                       -- routed, noted, answered, told, closed, withdrawn
  body     TEXT    NOT NULL DEFAULT '',
  at       INTEGER NOT NULL,
  user_id  BLOB    NOT NULL
) STRICT;
CREATE INDEX alert_step_by_alert ON alert_step (alert_id, at);

-- A question passed on to an expert, from an alert or by hand.
CREATE TABLE consult (
  id          BLOB    NOT NULL PRIMARY KEY,
  patient_id  BLOB    NOT NULL,
  alert_id    BLOB,
  task_id     BLOB,
  level       TEXT    NOT NULL,                    -- red, orange, yellow, question
  question    TEXT    NOT NULL,
  department  TEXT    NOT NULL,
  asked_of    BLOB,                                -- a person, or the department's inbox
  asked_at    INTEGER NOT NULL,
  asked_by    BLOB    NOT NULL,
  due_at      INTEGER NOT NULL,
  status      TEXT    NOT NULL,                    -- open, answered, told, withdrawn
  answered_at INTEGER,
  told_at     INTEGER
) STRICT;
CREATE INDEX consult_by_status ON consult (status, due_at);
CREATE INDEX consult_by_alert ON consult (alert_id) WHERE alert_id IS NOT NULL;
CREATE INDEX consult_by_patient ON consult (patient_id, asked_at);

CREATE TABLE consult_reply (
  id            BLOB    NOT NULL PRIMARY KEY,
  consult_id    BLOB    NOT NULL,
  reply         TEXT    NOT NULL,
  advice        TEXT    NOT NULL DEFAULT '',
  next_visit_on TEXT,
  call_back_on  TEXT,
  replied_at    INTEGER NOT NULL,
  user_id       BLOB    NOT NULL
) STRICT;
CREATE INDEX consult_reply_by_consult ON consult_reply (consult_id, replied_at);

-- Calls and responses that stand: a replaced one and the fact that only takes it back are left out.
CREATE VIEW standing_call AS
  SELECT * FROM call
  WHERE outcome <> 'withdrawn' AND NOT EXISTS (SELECT 1 FROM call AS later WHERE later.replaces_id = call.id);
CREATE VIEW standing_response AS
  SELECT * FROM response
  WHERE withdrawn = 0 AND NOT EXISTS (SELECT 1 FROM response AS later WHERE later.replaces_id = response.id);

-- Rules whose alerts are for those alone who manage, who raised them and who is asked about them.
CREATE VIEW restricted_rule AS
  SELECT plan_version.code AS plan_code, plan_version.version AS plan_version, rule.value ->> 'code' AS rule
  FROM plan_version, json_each(plan_version.body, '$.form.alerts') AS rule, json_each(rule.value, '$.effects') AS effect
  WHERE plan_version.kind = 'plan' AND effect.value = 'restrict';

-- Local, derived from the tables above: one row for each patient with an open task or an unrouted red
-- alert. rank NULL: nothing to do before wake_on (days since 1970). Rebuilt by doctor.
CREATE TABLE worklist (
  patient_num INTEGER NOT NULL PRIMARY KEY,
  rank        INTEGER,
  not_before  INTEGER NOT NULL,
  wake_on     INTEGER NOT NULL,
  tags        TEXT    NOT NULL
) STRICT;
CREATE INDEX worklist_by_wake ON worklist (wake_on);
-- The list once for each filter, in order, so that a page never scans.
CREATE TABLE worklist_tag (
  tag         TEXT    NOT NULL,
  rank        INTEGER NOT NULL,
  patient_num INTEGER NOT NULL,
  not_before  INTEGER NOT NULL,
  PRIMARY KEY (tag, rank, patient_num)
) STRICT, WITHOUT ROWID;
-- Of these few the retry policy or an appointment says when they may be called again.
CREATE INDEX worklist_tag_later ON worklist_tag (tag, rank, not_before) WHERE not_before > 0;
-- How many patients stand in each part of the whole list: flags 0, overdue 1, due 2.
CREATE TABLE worklist_total (
  bucket   INTEGER NOT NULL PRIMARY KEY,
  patients INTEGER NOT NULL
) STRICT;
INSERT INTO worklist_total (bucket, patients) VALUES (0, 0), (1, 0), (2, 0);
-- The day the list was made for.
CREATE TABLE worklist_day (
  only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
  day      INTEGER NOT NULL
) STRICT;

-- Numbers dialled on this desk; a dial without a call was never saved.
CREATE TABLE dial (
  token      BLOB    NOT NULL PRIMARY KEY,
  patient_id BLOB    NOT NULL,
  phone_id   BLOB    NOT NULL,
  user_id    BLOB    NOT NULL,
  dialled_at INTEGER NOT NULL,
  call_id    BLOB
) STRICT;
CREATE INDEX dial_by_patient ON dial (patient_id, dialled_at);

-- What the last calls of this desk changed, to take one back while nothing was built on it.
CREATE TABLE call_undo (
  call_id  BLOB    NOT NULL PRIMARY KEY,
  saved_at INTEGER NOT NULL,
  changes  BLOB    NOT NULL,                        -- CBOR of followup::journal::Log
  draft    TEXT
) STRICT;
CREATE INDEX call_undo_by_time ON call_undo (saved_at);
