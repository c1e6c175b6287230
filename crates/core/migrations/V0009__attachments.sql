-- A file that somebody added to a patient, or to what hangs on one. Its bytes lie in blob_part.
CREATE TABLE attachment (
  id           BLOB    NOT NULL PRIMARY KEY,
  patient_id   BLOB    NOT NULL,
  subject_kind TEXT    NOT NULL,               -- what it was added to: patient, complaint
  subject_id   BLOB    NOT NULL,               -- which; of a patient the patient's id
  name         TEXT    NOT NULL,               -- the file's name, without its folders
  media_type   TEXT    NOT NULL,
  size         INTEGER NOT NULL,               -- bytes
  sha256       BLOB    NOT NULL,
  added_at     INTEGER NOT NULL,
  user_id      BLOB    NOT NULL,
  removed      INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX attachment_by_subject ON attachment (subject_id);
CREATE INDEX attachment_by_patient ON attachment (patient_id, sha256);

-- Everything below is local: the bytes that this desk has, and how much of them the server has.
CREATE TABLE blob (
  patient_id BLOB    NOT NULL,
  sha256     BLOB    NOT NULL,
  size       INTEGER NOT NULL,
  have       INTEGER NOT NULL DEFAULT 0,       -- bytes that are here, from the beginning
  sent       INTEGER NOT NULL DEFAULT 0,       -- bytes that the server is known to have; size: it is whole there
  own        INTEGER NOT NULL DEFAULT 0,       -- 1: added on this desk, so it has to go to the server
  made_at    INTEGER NOT NULL,
  PRIMARY KEY (patient_id, sha256)
) STRICT, WITHOUT ROWID;
CREATE TABLE blob_part (
  patient_id BLOB    NOT NULL,
  sha256     BLOB    NOT NULL,
  start      INTEGER NOT NULL,
  bytes      BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX blob_part_in_order ON blob_part (patient_id, sha256, start);
