-- num is local: it numbers patients for the search index and never leaves the desk.
CREATE TABLE patient (
  num            INTEGER NOT NULL PRIMARY KEY,
  id             BLOB    NOT NULL,
  mrn            TEXT,                         -- 病案号: the hospital's number for the person
  outpatient_no  TEXT,                         -- 门诊号
  card_no        TEXT,                         -- 就诊卡号
  name           TEXT    NOT NULL,
  sex            TEXT    NOT NULL DEFAULT '0', -- GB/T 2261.1
  birth_on       TEXT,
  age_text       TEXT,                         -- age as the HIS gave it, when there is no birth date
  id_type        TEXT,
  id_number      TEXT,                         -- normalised, 18 characters when a resident ID
  nationality    TEXT,
  ethnicity      TEXT,
  marital        TEXT,
  occupation     TEXT,
  employer       TEXT,
  address        TEXT,
  native_place   TEXT,
  blood_type     TEXT,
  allergies      TEXT,
  insurance      TEXT,
  first_seen_on  TEXT,
  -- what the desk learns
  hobbies        TEXT,
  habits         TEXT,
  wishes         TEXT,
  preferences    TEXT,
  feedback       TEXT,
  remark         TEXT,
  best_hour      TEXT,
  dialect        TEXT,
  vip            INTEGER NOT NULL DEFAULT 0,
  customer_kind  TEXT    NOT NULL DEFAULT 'current', -- current_new, current, potential, prospective
  customer_of    TEXT    NOT NULL DEFAULT 'ours',    -- ours, general, competitor
  is_test        INTEGER NOT NULL DEFAULT 0,
  is_unknown     INTEGER NOT NULL DEFAULT 0,
  -- the stricter value wins over the clock
  contact_optout TEXT    NOT NULL DEFAULT 'none',    -- none, phone, all
  deceased       INTEGER NOT NULL DEFAULT 0,
  deceased_on    TEXT,
  deceased_how   TEXT,                               -- where it is known from
  merged_into    BLOB,
  site_id        BLOB    NOT NULL,
  removed        INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX patient_by_id ON patient (id);
CREATE INDEX patient_by_mrn ON patient (mrn) WHERE mrn IS NOT NULL;
CREATE INDEX patient_by_outpatient_no ON patient (outpatient_no) WHERE outpatient_no IS NOT NULL;
CREATE INDEX patient_by_card_no ON patient (card_no) WHERE card_no IS NOT NULL;
CREATE INDEX patient_by_id_number ON patient (id_number) WHERE id_number IS NOT NULL;
CREATE INDEX patient_by_name ON patient (name, birth_on);
CREATE INDEX patient_by_merged_into ON patient (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE phone (
  id         BLOB    NOT NULL PRIMARY KEY,
  patient_id BLOB    NOT NULL,
  number     TEXT    NOT NULL,                       -- digits as domain::phone stores them
  extension  TEXT,
  owner_name TEXT,                                   -- whose phone; the patient's own when relation is '0'
  relation   TEXT    NOT NULL DEFAULT '0',           -- GB/T 4761 main groups, '0' the patient
  state      TEXT    NOT NULL DEFAULT 'unknown',     -- unknown, good, empty, stopped, off, wrong, refused, blocked
  state_at   INTEGER,
  best_hour  TEXT,
  rank       INTEGER NOT NULL DEFAULT 0,             -- order of dialling
  source     TEXT    NOT NULL DEFAULT 'desk',        -- his, desk, patient
  removed    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX phone_by_patient ON phone (patient_id);
CREATE INDEX phone_by_number ON phone (number);

CREATE TABLE encounter (
  id              BLOB    NOT NULL PRIMARY KEY,
  patient_id      BLOB    NOT NULL,
  kind            TEXT    NOT NULL DEFAULT 'inpatient', -- inpatient, outpatient, emergency
  visit_no        TEXT,                                 -- 住院号 or 门诊流水号
  visit_count     INTEGER,                              -- 第几次住院
  department      TEXT    NOT NULL DEFAULT '',
  ward            TEXT,
  bed             TEXT,
  admitted_at     TEXT,                                 -- hospital's wall clock 'YYYY-MM-DD HH:MM'
  discharged_at   TEXT,                                 -- the same
  discharged_on   TEXT,                                 -- its date
  length_of_stay_days INTEGER,
  diagnosis_code  TEXT,
  diagnosis       TEXT,
  other_diagnoses TEXT,                                 -- JSON list of {code, name}
  surgery         TEXT,
  surgery_on      TEXT,
  delivery_on     TEXT,
  chemo           INTEGER,
  doctor          TEXT,
  nurse           TEXT,
  disposition     TEXT,                                 -- 离院方式 1-5, 9
  admit_route     TEXT,                                 -- 入院途径
  pay_mode        TEXT,
  total_fee_fen   INTEGER,
  next_visit_on   TEXT,
  removed         INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX encounter_by_patient ON encounter (patient_id, discharged_on);
CREATE INDEX encounter_by_visit_no ON encounter (visit_no) WHERE visit_no IS NOT NULL;
CREATE INDEX encounter_by_discharge ON encounter (discharged_on) WHERE discharged_on IS NOT NULL;

-- Facts: the current consent of a purpose and channel is its latest fact.
CREATE TABLE consent (
  id         BLOB    NOT NULL PRIMARY KEY,
  patient_id BLOB    NOT NULL,
  purpose    TEXT    NOT NULL,      -- care_followup, caring, marketing, research
  channel    TEXT    NOT NULL,      -- phone, sms, web
  granted    INTEGER NOT NULL,
  given_at   INTEGER NOT NULL,
  how        TEXT    NOT NULL,      -- oral, paper, web, hospital_notice
  proof      TEXT,
  user_id    BLOB    NOT NULL
) STRICT;
CREATE INDEX consent_by_patient ON consent (patient_id, given_at);

CREATE TABLE note (
  id         BLOB    NOT NULL PRIMARY KEY,
  patient_id BLOB    NOT NULL,
  kind       TEXT    NOT NULL,      -- note, customer_kind, phone_state, death, optout …
  body       TEXT    NOT NULL,
  noted_at   INTEGER NOT NULL,
  user_id    BLOB    NOT NULL
) STRICT;
CREATE INDEX note_by_patient ON note (patient_id, noted_at);

CREATE TABLE duplicate (
  id          BLOB    NOT NULL PRIMARY KEY,
  first_id    BLOB    NOT NULL,
  second_id   BLOB    NOT NULL,
  reasons     TEXT    NOT NULL,               -- JSON list of reason codes
  state       TEXT    NOT NULL DEFAULT 'open', -- open, merged, different
  found_at    INTEGER NOT NULL,
  settled_at  INTEGER,
  settled_by  BLOB
) STRICT;
CREATE INDEX duplicate_by_state ON duplicate (state, found_at);
CREATE INDEX duplicate_by_first ON duplicate (first_id);
CREATE INDEX duplicate_by_second ON duplicate (second_id);

CREATE TABLE patient_merge (
  id         BLOB    NOT NULL PRIMARY KEY,
  kept_id    BLOB    NOT NULL,
  merged_id  BLOB    NOT NULL,
  moved      TEXT    NOT NULL,       -- JSON: which records moved and which fields were filled
  merged_at  INTEGER NOT NULL,
  merged_by  BLOB    NOT NULL,
  undone_at  INTEGER
) STRICT;
CREATE INDEX patient_merge_by_kept ON patient_merge (kept_id);
CREATE INDEX patient_merge_by_merged ON patient_merge (merged_id);

-- Find as you type; see archive/search. Local: made from the tables above, and can be made anew from them.
CREATE VIRTUAL TABLE archive_search USING fts5 (
  tokens, content = '', contentless_delete = 1, detail = none, tokenize = "ascii tokenchars '.^'"
);
-- Under which row of archive_search a patient stands.
CREATE TABLE archive_indexed (
  num        INTEGER NOT NULL PRIMARY KEY,
  search_row INTEGER NOT NULL
) STRICT;
