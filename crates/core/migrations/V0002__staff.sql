CREATE TABLE site (
  id      BLOB    NOT NULL PRIMARY KEY,
  name    TEXT    NOT NULL,
  removed INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE staff (
  id           BLOB    NOT NULL PRIMARY KEY,
  login        TEXT    NOT NULL,
  display_name TEXT    NOT NULL,
  job_number   TEXT    NOT NULL DEFAULT '',
  department   TEXT    NOT NULL DEFAULT '',
  roles        TEXT    NOT NULL,            -- JSON list of roles
  active       INTEGER NOT NULL DEFAULT 1,
  password_changed_at INTEGER NOT NULL DEFAULT 0
) STRICT;
-- Not unique: two desks may each have made a person of this login before they met.
CREATE INDEX staff_by_login ON staff (login);
