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
  left_out    INTEGER NOT NULL,
  warnings    INTEGER NOT NULL,
  duplicates  INTEGER NOT NULL,
  profile     TEXT    NOT NULL,            -- JSON: headings and columns as they were matched
  undone_at   INTEGER
) STRICT;
CREATE INDEX import_batch_by_time ON import_batch (started_at);
CREATE INDEX import_batch_by_number ON import_batch (number);

CREATE TABLE import_profile (
  id       BLOB    NOT NULL PRIMARY KEY,
  name     TEXT    NOT NULL,
  headings TEXT    NOT NULL,               -- the headings it is recognised by, comparable, joined
  columns  TEXT    NOT NULL,               -- JSON: heading → field
  removed  INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What became of each row; local, for the result page and the report.
CREATE TABLE import_row (
  batch      INTEGER NOT NULL,             -- import_batch.number on this desk
  row        INTEGER NOT NULL,
  outcome    TEXT    NOT NULL,             -- created, updated, unchanged, rejected, left_out
  patient_id BLOB,
  problems   TEXT,                         -- JSON list of {field, code, params}; no values of the patient
  cells      TEXT,                         -- JSON list of the original cells, of rows with problems
  PRIMARY KEY (batch, row)
) STRICT, WITHOUT ROWID;
CREATE INDEX import_row_with_problems ON import_row (batch, outcome, row) WHERE problems IS NOT NULL;

-- Which part of the change log a batch, or its undoing, wrote; local. Tells what the hospital's
-- system said from what a person did, and what there is to undo.
CREATE TABLE import_span (
  first_hlc  INTEGER NOT NULL PRIMARY KEY,
  last_hlc   INTEGER NOT NULL,
  first_dseq INTEGER NOT NULL,
  last_dseq  INTEGER NOT NULL,
  at_millis  INTEGER NOT NULL,             -- ids made by it carry this instant
  batch      INTEGER NOT NULL,
  undoing    INTEGER NOT NULL              -- 1 when it took the batch back
) STRICT;
CREATE INDEX import_span_by_instant ON import_span (at_millis);

-- Values that a batch overwrote, by the change that did; local.
CREATE TABLE import_before (
  batch  INTEGER NOT NULL,
  dseq   INTEGER NOT NULL,
  entity TEXT    NOT NULL,
  record BLOB    NOT NULL,
  fields TEXT    NOT NULL,                 -- JSON: field → [before, after]
  PRIMARY KEY (batch, dseq)
) STRICT, WITHOUT ROWID;
