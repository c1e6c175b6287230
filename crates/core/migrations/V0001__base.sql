-- Column names: _id 16-byte UUID, _at instant in ms UTC (INTEGER) unless said otherwise,
-- _on date 'YYYY-MM-DD', _fen money in 1/100 yuan, _seconds durations. Flags are 0/1.
-- Synced tables (change_log/entities.rs) are written by change_log alone.

CREATE TABLE desk (
  only_row      INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
  device_id     BLOB    NOT NULL,
  hospital      TEXT    NOT NULL,
  site_id       BLOB    NOT NULL,
  made_at       INTEGER NOT NULL,
  last_dseq     INTEGER NOT NULL,
  chain_hash    BLOB    NOT NULL,
  last_hlc      INTEGER NOT NULL,
  last_backup_at INTEGER
) STRICT;

CREATE TABLE op (
  dseq             INTEGER NOT NULL PRIMARY KEY,
  bytes            BLOB    NOT NULL,
  hash             BLOB    NOT NULL,
  acknowledged_seq INTEGER                         -- the server's number, once its verdict is here
) STRICT;

-- Which op holds a field, only for fields changed after their record was made. seq is the server's number;
-- while it has none the largest there is, later than every number.
CREATE TABLE field_clock (
  record_id     BLOB    NOT NULL,
  field         TEXT    NOT NULL,
  op_id         BLOB    NOT NULL,
  effective_hlc INTEGER NOT NULL,
  seq           INTEGER NOT NULL,
  PRIMARY KEY (record_id, field)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  seq        INTEGER NOT NULL PRIMARY KEY,
  at         INTEGER NOT NULL,
  user_id    BLOB    NOT NULL,
  action     TEXT    NOT NULL,
  subject_id BLOB,
  detail     TEXT    NOT NULL,
  hash       BLOB    NOT NULL
) STRICT;

-- A setting's id follows from its name, so that two desks' values meet in one record.
CREATE TABLE setting (
  id    BLOB NOT NULL PRIMARY KEY,
  name  TEXT NOT NULL,
  value TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX setting_by_name ON setting (name);

-- What is being typed, by user. Local: never synced.
CREATE TABLE draft (
  user_id  BLOB    NOT NULL,
  key      TEXT    NOT NULL,
  body     TEXT    NOT NULL,
  saved_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, key)
) STRICT, WITHOUT ROWID;
