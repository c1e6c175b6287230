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

-- Everything below is local: how this desk stands with its server. The database seals the key.
CREATE TABLE sync_server (
  only_row     INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
  address      TEXT    NOT NULL,                 -- https://host:port
  authority    BLOB    NOT NULL,                 -- DER of the one certificate that is believed
  device_key   BLOB    NOT NULL,                 -- Ed25519 seed
  tenant       BLOB    NOT NULL,
  stick_key    BLOB    NOT NULL,                 -- seals what goes to and fro on USB sticks
  epoch        INTEGER NOT NULL,                 -- 0 before the first answer
  acknowledged INTEGER NOT NULL DEFAULT 0,       -- number of the last own op whose verdict is stored
  head         INTEGER NOT NULL DEFAULT 0,       -- the server's last number, as last heard
  durable_seq  INTEGER NOT NULL DEFAULT 0,       -- what of it lies in a verified backup elsewhere
  filling      INTEGER NOT NULL DEFAULT 1,       -- 1 until the first sync is through
  rederive     INTEGER NOT NULL DEFAULT 1,       -- 1: search index and worklist have to be made anew
  enrolled_at  INTEGER NOT NULL,
  heard_at     INTEGER,                          -- last answer
  compared_at  INTEGER,                          -- last time the digests were equal
  key_left     INTEGER NOT NULL DEFAULT 0,       -- 1: the database's key lies there, sealed, for who is new to this PC
  forked       INTEGER NOT NULL DEFAULT 0,       -- 1: the server knows another desk of this identity
  clinics_at   INTEGER                           -- when sync_clinic was last heard
) STRICT;

-- The epochs of the server that this desk's data comes from.
CREATE TABLE sync_epoch (
  epoch INTEGER NOT NULL PRIMARY KEY,
  head  INTEGER NOT NULL
) STRICT;

-- The sites whose patients this desk sees, and how far it has what happened there. The whole hospital's is nil.
CREATE TABLE sync_cursor (
  scope       BLOB    NOT NULL PRIMARY KEY,
  seq         INTEGER NOT NULL,
  fill_seq    INTEGER,                           -- the first sync: number of its first page …
  fill_entity TEXT,                              -- … and the record after which it goes on
  fill_id     BLOB,
  filled      INTEGER NOT NULL DEFAULT 0,
  fill_done   INTEGER NOT NULL DEFAULT 0,        -- records that the first sync has brought …
  fill_total  INTEGER NOT NULL DEFAULT 0         -- … of so many; 0 before its first page
) STRICT, WITHOUT ROWID;

-- What others wrote, until the server says that it is safe; a restored server is offered it again.
CREATE TABLE sync_received (
  seq       INTEGER NOT NULL PRIMARY KEY,
  bytes     BLOB    NOT NULL,
  effective INTEGER NOT NULL,
  seal      BLOB    NOT NULL
) STRICT;
CREATE TABLE sync_offer (
  num       INTEGER NOT NULL PRIMARY KEY,
  bytes     BLOB    NOT NULL,
  effective INTEGER NOT NULL,
  seal      BLOB    NOT NULL
) STRICT;

-- What a newer program wrote and this one does not understand, for its successor.
CREATE TABLE sync_unknown (
  seq INTEGER NOT NULL PRIMARY KEY,
  fed BLOB    NOT NULL                           -- CBOR of wire::FedOp
) STRICT;

-- Own changes that did not come out as their author meant them to.
CREATE TABLE sync_verdict (
  dseq       INTEGER NOT NULL PRIMARY KEY,
  seq        INTEGER NOT NULL,
  outcome    TEXT    NOT NULL,                   -- refused, rejected, quarantined
  why        TEXT    NOT NULL,
  entity     TEXT    NOT NULL,
  record_id  BLOB    NOT NULL,
  patient_id BLOB,
  command    TEXT,
  user_id    BLOB    NOT NULL,
  written_at INTEGER NOT NULL,
  heard_at   INTEGER NOT NULL,
  waits_for  BLOB,                               -- the record without which it could not count, until that comes
  seen_at    INTEGER
) STRICT;
CREATE INDEX sync_verdict_waiting ON sync_verdict (waits_for) WHERE waits_for IS NOT NULL;
CREATE INDEX sync_verdict_by_time ON sync_verdict (heard_at);

-- Who made the changes over which people may be asked.
CREATE TABLE sync_author (
  op_id   BLOB NOT NULL PRIMARY KEY,
  user_id BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Whose password the server knows, and since when it was theirs.
CREATE TABLE sync_password (
  user_id   BLOB    NOT NULL PRIMARY KEY,
  chosen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How the desks stand that share a site with this one, as the server last told it.
CREATE TABLE sync_clinic (
  device          BLOB    NOT NULL,
  site            BLOB    NOT NULL,
  name            TEXT    NOT NULL,
  enrolled_at     INTEGER NOT NULL,
  last_contact_at INTEGER,
  unsent          INTEGER NOT NULL,
  PRIMARY KEY (device, site)
) STRICT, WITHOUT ROWID;

-- Each round with the server, the last few hundred.
CREATE TABLE sync_round (
  num        INTEGER NOT NULL PRIMARY KEY,
  started_at INTEGER NOT NULL,
  ended_at   INTEGER NOT NULL,
  pushed     INTEGER NOT NULL,
  pulled     INTEGER NOT NULL,
  conflicts  INTEGER NOT NULL,
  rejected   INTEGER NOT NULL,
  problem    TEXT                                -- code of the error that ended it
) STRICT;
