CREATE TABLE import_batch (
  id          BLOB    NOT NULL PRIMARY KEY,
  number      INTEGER NOT NULL,            -- what people and the command line call it; per desk
  file_name   TEXT    NOT NULL,
  file_sha256 BLOB    NOT NULL,
  format      TEXT    NOT NULL,
  encoding    TEXT,
  started_at  INTEGER NOT NULL,
  finished_at INTEGER NOT NULL,
  user_id     BLOB    NOT NULL,
  rows        INTEGER NOT NULL,
  created     INTEGER NOT NULL,
  updated     INTEGER NOT NULL,
  unchanged   INTEGER NOT NULL,
  rejected    INTEGER NOT NULL,
  warnings    INTEGER NOT NULL,
  duplicates  INTEGER NOT NULL,
  profile     TEXT    NOT NULL,            -- JSON: columns as they were matched
  undone_at   INTEGER
) STRICT;
CREATE INDEX import_batch_by_time ON import_batch (started_at);

CREATE TABLE import_profile (
  id      BLOB    NOT NULL PRIMARY KEY,
  name    TEXT    NOT NULL,
  columns TEXT    NOT NULL,                -- JSON: heading → field
  removed INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What became of each row; local, for the result page and for undoing the batch.
CREATE TABLE import_row (
  batch_id   BLOB    NOT NULL,
  row        INTEGER NOT NULL,
  outcome    TEXT    NOT NULL,             -- created, updated, unchanged, rejected, left_out
  patient_id BLOB,
  problems   TEXT,                         -- JSON list of {field, code, params}; no values of the patient
  undo       BLOB,                         -- what to take back
  PRIMARY KEY (batch_id, row)
) STRICT, WITHOUT ROWID;
