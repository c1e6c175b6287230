-- Totals of follow-up, so that a year of any size is read from some thousand rows. Local, derived, rebuilt by doctor;
-- see reports/dashboard.

-- Departments, plans, nurses and sites as small numbers.
CREATE TABLE report_name (
  num  INTEGER NOT NULL PRIMARY KEY,
  kind TEXT    NOT NULL,                           -- department, plan, nurse, site
  name TEXT    NOT NULL                            -- '' where there is none
) STRICT;
CREATE UNIQUE INDEX report_name_by_name ON report_name (kind, name);

CREATE TABLE report_total (
  measure    INTEGER NOT NULL,                     -- reports::dashboard::cell::Measure
  nurse      INTEGER NOT NULL,                     -- 0 where nurses are not told apart; the others are report_name.num
  span       INTEGER NOT NULL,                     -- a day (days of the common era) or a month (12 * year + month)
  department INTEGER NOT NULL,
  plan       INTEGER NOT NULL,
  site       INTEGER NOT NULL,
  slot       INTEGER NOT NULL,                     -- flags of the measure
  count      INTEGER NOT NULL,
  PRIMARY KEY (measure, nurse, span, department, plan, site, slot)
) STRICT, WITHOUT ROWID;

-- What of the totals is a patient's.
CREATE TABLE report_share (
  patient_id BLOB NOT NULL PRIMARY KEY,
  facts      BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Patients of whom something was written since their share was counted, by whomever. Whoever reads counts theirs anew.
CREATE TABLE report_changed (
  patient_id BLOB NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TRIGGER report_patient_made AFTER INSERT ON patient BEGIN
  INSERT OR IGNORE INTO report_changed (patient_id) VALUES (new.id);
END;
CREATE TRIGGER report_patient_changed
  AFTER UPDATE OF site_id, deceased, contact_optout, is_test, is_unknown, merged_into ON patient BEGIN
  INSERT OR IGNORE INTO report_changed (patient_id) VALUES (new.id);
  INSERT OR IGNORE INTO report_changed (patient_id) SELECT old.merged_into WHERE old.merged_into IS NOT NULL;
END;
CREATE TRIGGER report_patient_gone AFTER DELETE ON patient BEGIN
  INSERT OR IGNORE INTO report_changed (patient_id) VALUES (old.id);
END;

CREATE TRIGGER report_encounter_made AFTER INSERT ON encounter BEGIN
  INSERT OR IGNORE INTO report_changed (patient_id) VALUES (new.patient_id);
END;
CREATE TRIGGER report_encounter_changed
  AFTER UPDATE OF patient_id, kind, department, discharged_on, disposition, removed ON encounter BEGIN
  INSERT OR IGNORE INTO report_changed (patient_id) VALUES (old.patient_id), (new.patient_id);
END;
CREATE TRIGGER report_encounter_gone AFTER DELETE ON encounter BEGIN
  INSERT OR IGNORE INTO report_changed (patient_id) VALUES (old.patient_id);
END;

CREATE TRIGGER report_enrolment_made AFTER INSERT ON enrolment BEGIN
  INSERT OR IGNORE INTO report_changed (patient_id) VALUES (new.patient_id);
END;
CREATE TRIGGER report_enrolment_changed
  AFTER UPDATE OF patient_id, encounter_id, plan_code, anchor_on, state, ended_at ON enrolment BEGIN
  INSERT OR IGNORE INTO report_changed (patient_id) VALUES (old.patient_id), (new.patient_id);
END;
CREATE TRIGGER report_enrolment_gone AFTER DELETE ON enrolment BEGIN
  INSERT OR IGNORE INTO report_changed (patient_id) VALUES (old.patient_id);
END;

CREATE TRIGGER report_task_made AFTER INSERT ON task BEGIN
  INSERT OR IGNORE INTO report_changed (patient_id) VALUES (new.patient_id);
END;
CREATE TRIGGER report_task_changed
  AFTER UPDATE OF patient_id, encounter_id, kind, plan_code, due_on, window_starts_on, window_ends_on, status, assigned_to,
                  attempts, ended_at ON task BEGIN
  INSERT OR IGNORE INTO report_changed (patient_id) VALUES (old.patient_id), (new.patient_id);
END;
CREATE TRIGGER report_task_gone AFTER DELETE ON task BEGIN
  INSERT OR IGNORE INTO report_changed (patient_id) VALUES (old.patient_id);
END;

-- Calls and responses are only appended, and go when their patient leaves the desk.
CREATE TRIGGER report_call_made AFTER INSERT ON call BEGIN
  INSERT OR IGNORE INTO report_changed (patient_id) VALUES (new.patient_id);
END;
CREATE TRIGGER report_call_gone AFTER DELETE ON call BEGIN
  INSERT OR IGNORE INTO report_changed (patient_id) VALUES (old.patient_id);
END;
CREATE TRIGGER report_response_made AFTER INSERT ON response BEGIN
  INSERT OR IGNORE INTO report_changed (patient_id) VALUES (new.patient_id);
END;
CREATE TRIGGER report_response_gone AFTER DELETE ON response BEGIN
  INSERT OR IGNORE INTO report_changed (patient_id) VALUES (old.patient_id);
END;

CREATE TRIGGER report_alert_made AFTER INSERT ON alert BEGIN
  INSERT OR IGNORE INTO report_changed (patient_id) VALUES (new.patient_id);
END;
CREATE TRIGGER report_alert_changed
  AFTER UPDATE OF patient_id, task_id, plan_code, level, raised_at, due_at, raised_by, handled_at ON alert BEGIN
  INSERT OR IGNORE INTO report_changed (patient_id) VALUES (old.patient_id), (new.patient_id);
END;
CREATE TRIGGER report_alert_gone AFTER DELETE ON alert BEGIN
  INSERT OR IGNORE INTO report_changed (patient_id) VALUES (old.patient_id);
END;

-- Everybody who is here already.
INSERT INTO report_changed (patient_id) SELECT id FROM patient;

-- Complaints are counted from their index: all that figures ask of one, so that its row need not be read.
CREATE INDEX complaint_for_reports ON complaint
  (received_on, category, site_id, status, due_on, paused_on, replied_at, attitude) WHERE kind = 'complaint';
CREATE INDEX complaint_open_for_reports ON complaint (received_on, due_on, paused_on, site_id)
  WHERE kind = 'complaint' AND status IN ('registered', 'accepted', 'investigating', 'approving', 'replying', 'replied', 'rated');
