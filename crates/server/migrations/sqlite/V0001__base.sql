-- One file per hospital, and server.db for the server's own tenant. tenant_id is 0 in all of them: the same
-- statements run on PostgreSQL, where it tells hospitals apart, and here a 0 takes no room.

-- Hospitals of this server; rows belong to the server's own tenant.
CREATE TABLE directory (
    tenant_id INTEGER NOT NULL,
    hospital BLOB NOT NULL,
    word TEXT NOT NULL,
    name TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, hospital),
    UNIQUE (tenant_id, word)
) STRICT, WITHOUT ROWID;

-- Which hospital a code's number leads to; rows belong to the server's own tenant.
CREATE TABLE code_index (
    tenant_id INTEGER NOT NULL,
    number TEXT NOT NULL,
    hospital BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, number)
) STRICT, WITHOUT ROWID;

-- Which hospital a device belongs to; rows belong to the server's own tenant.
CREATE TABLE device_index (
    tenant_id INTEGER NOT NULL,
    device BLOB NOT NULL,
    hospital BLOB NOT NULL,
    PRIMARY KEY (tenant_id, device)
) STRICT, WITHOUT ROWID;

-- One row: the hospital itself. Its row lock makes the order of sequences the order of commits.
CREATE TABLE tenant (
    tenant_id INTEGER NOT NULL,
    word TEXT NOT NULL,
    name TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    quota_devices INTEGER,
    quota_bytes INTEGER,
    seal_key BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    head_seq INTEGER NOT NULL,
    durable_seq INTEGER NOT NULL,
    bytes_used INTEGER NOT NULL,
    PRIMARY KEY (tenant_id)
) STRICT, WITHOUT ROWID;

-- The epochs that led to this one: the hospital was made, or restored, and counted on behind head.
CREATE TABLE epoch (
    tenant_id INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    head INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, epoch)
) STRICT, WITHOUT ROWID;

-- Desks. sites: ids with spaces between.
CREATE TABLE device (
    tenant_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    public_key BLOB NOT NULL,
    sites TEXT NOT NULL,
    history_to INTEGER NOT NULL,
    status TEXT NOT NULL,
    last_dseq INTEGER NOT NULL,
    chain BLOB NOT NULL,
    enrolled_at INTEGER NOT NULL,
    last_contact_at INTEGER,
    unsent INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- One-time enrolment codes.
CREATE TABLE code (
    tenant_id INTEGER NOT NULL,
    number TEXT NOT NULL,
    secret_hash BLOB NOT NULL,
    made_by BLOB NOT NULL,
    made_at INTEGER NOT NULL,
    sites TEXT NOT NULL,
    history INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    used_by BLOB,
    PRIMARY KEY (tenant_id, number)
) STRICT, WITHOUT ROWID;

-- Who signs in at the server.
CREATE TABLE person (
    tenant_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    login TEXT NOT NULL,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    roles TEXT NOT NULL,
    sites TEXT NOT NULL,
    active INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    locked_until INTEGER,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, login)
) STRICT, WITHOUT ROWID;

-- The sealed key of a desk's database.
CREATE TABLE desk_key (
    tenant_id INTEGER NOT NULL,
    device BLOB NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (tenant_id, device)
) STRICT, WITHOUT ROWID;

-- Everything that desks wrote, as it came. op_id: only where the op counts. dseq: not for what came by another desk.
CREATE TABLE op (
    tenant_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    op_id BLOB,
    device BLOB NOT NULL,
    dseq INTEGER,
    entity TEXT,
    record_id BLOB,
    root BLOB NOT NULL,
    bytes BLOB NOT NULL,
    hash BLOB NOT NULL,
    effective INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    why TEXT NOT NULL,
    repair INTEGER NOT NULL,
    extra BLOB,
    PRIMARY KEY (tenant_id, seq),
    UNIQUE (tenant_id, op_id),
    UNIQUE (tenant_id, device, dseq)
) STRICT;

-- What each scope is told. kind: 0 op, 1 arrive, 2 evict, 3 erase.
CREATE TABLE feed (
    tenant_id INTEGER NOT NULL,
    scope BLOB NOT NULL,
    seq INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    root BLOB NOT NULL,
    PRIMARY KEY (tenant_id, scope, seq)
) STRICT, WITHOUT ROWID;

-- The fold of the ops.
CREATE TABLE record (
    tenant_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    entity TEXT NOT NULL,
    root BLOB NOT NULL,
    scope BLOB NOT NULL,
    bucket INTEGER NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (tenant_id, id, entity)
) STRICT;
-- In the order in which records were made, for a first sync; the bucket only to be looked at in passing.
CREATE INDEX record_by_scope ON record (tenant_id, scope, id, entity, bucket);
CREATE INDEX record_by_root ON record (tenant_id, root);

-- Sums of a scope's records, 64 of 16 bytes, and how many they are.
CREATE TABLE digest (
    tenant_id INTEGER NOT NULL,
    scope BLOB NOT NULL,
    sums BLOB NOT NULL,
    records INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, scope)
) STRICT;

-- Patients to be erased, and erased ones: nothing of theirs comes back.
CREATE TABLE erasure (
    tenant_id INTEGER NOT NULL,
    root BLOB NOT NULL,
    asked_by BLOB NOT NULL,
    asked_at INTEGER NOT NULL,
    confirmed_by BLOB,
    confirmed_at INTEGER,
    PRIMARY KEY (tenant_id, root)
) STRICT, WITHOUT ROWID;

-- Attachments.
CREATE TABLE blob (
    tenant_id INTEGER NOT NULL,
    root BLOB NOT NULL,
    sha256 BLOB NOT NULL,
    size INTEGER NOT NULL,
    have INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    made_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, root, sha256)
) STRICT, WITHOUT ROWID;

-- Their bytes.
CREATE TABLE blob_part (
    tenant_id INTEGER NOT NULL,
    root BLOB NOT NULL,
    sha256 BLOB NOT NULL,
    start INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (tenant_id, root, sha256, start)
) STRICT;

-- Append-only, chained by hash.
CREATE TABLE audit (
    tenant_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor BLOB NOT NULL,
    act TEXT NOT NULL,
    object BLOB NOT NULL,
    details TEXT NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (tenant_id, number)
) STRICT;
CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER audit_stands BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'append-only'); END;
