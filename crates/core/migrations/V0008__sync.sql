-- What lost when two desks changed one field without knowing of each other; made by the server.
CREATE TABLE conflict (
  id          BLOB    NOT NULL PRIMARY KEY,
  patient_id  BLOB    NOT NULL,
  entity      TEXT    NOT NULL,
  record_id   BLOB    NOT NULL,
  field       TEXT    NOT NULL,
  kept        TEXT,
  kept_by     BLOB    NOT NULL,                    -- the op that holds the field
  kept_at     INTEGER NOT NULL,
  lost        TEXT,
  lost_by     BLOB    NOT NULL,
  lost_at     INTEGER NOT NULL,
  found_at    INTEGER NOT NULL,
  settled_at  INTEGER,
  settled_by  BLOB,
  settled_how TEXT                                 -- kept, lost, other
) STRICT;
CREATE INDEX conflict_open ON conflict (found_at) WHERE settled_at IS NULL;
