-- A month as it was reported. Append-only: a later freeze of the month supersedes, and never changes, the one before.
CREATE TABLE report_freeze (
  id         BLOB    NOT NULL PRIMARY KEY,
  month      TEXT    NOT NULL,                       -- YYYY-MM
  as_of      INTEGER NOT NULL,                       -- data as of, milliseconds UTC
  body       TEXT    NOT NULL,                       -- JSON: figures, how complete each site was, names that rows refer to
  chunks     INTEGER NOT NULL,                       -- rows of report_freeze_rows that belong to it
  reason     TEXT    NOT NULL DEFAULT '',            -- of superseding
  supersedes BLOB,
  user_id    BLOB    NOT NULL
) STRICT;
CREATE INDEX report_freeze_by_month ON report_freeze (month, as_of);

-- What was counted, record by record: ids and flags, nothing of a patient. Packed, at most some thousand to a row.
CREATE TABLE report_freeze_rows (
  id         BLOB    NOT NULL PRIMARY KEY,
  freeze_id  BLOB    NOT NULL,
  population TEXT    NOT NULL,
  ordinal    INTEGER NOT NULL,
  lines      BLOB    NOT NULL
) STRICT;
CREATE INDEX report_freeze_rows_by_freeze ON report_freeze_rows (freeze_id, population, ordinal);

-- Which sheets a named report has, and in which order.
CREATE TABLE report_definition (
  id      BLOB    NOT NULL PRIMARY KEY,
  name    TEXT    NOT NULL,
  sheets  TEXT    NOT NULL,                          -- JSON names
  removed INTEGER NOT NULL DEFAULT 0
) STRICT;
