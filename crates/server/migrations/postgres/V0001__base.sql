-- Every key starts with the tenant. No sequences, triggers, LISTEN or advisory locks, so that the same
-- schema runs on what speaks PostgreSQL's language. FORCE: the tables' owner is bound by the policies too;
-- the service runs as a role that owns nothing and sees the tenant named in app.tenant, for one transaction.

-- Hospitals of this server; rows belong to the server's own tenant.
CREATE TABLE directory (
    tenant_id UUID NOT NULL,
    hospital UUID NOT NULL,
    word TEXT NOT NULL,
    name TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, hospital),
    UNIQUE (tenant_id, word)
);
ALTER TABLE directory ENABLE ROW LEVEL SECURITY;
ALTER TABLE directory FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON directory
    USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid)
    WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid);

-- Which hospital a code's number leads to; rows belong to the server's own tenant.
CREATE TABLE code_index (
    tenant_id UUID NOT NULL,
    number TEXT NOT NULL,
    hospital UUID NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, number)
);
ALTER TABLE code_index ENABLE ROW LEVEL SECURITY;
ALTER TABLE code_index FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON code_index
    USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid)
    WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid);

-- Which hospital a device belongs to; rows belong to the server's own tenant.
CREATE TABLE device_index (
    tenant_id UUID NOT NULL,
    device UUID NOT NULL,
    hospital UUID NOT NULL,
    PRIMARY KEY (tenant_id, device)
);
ALTER TABLE device_index ENABLE ROW LEVEL SECURITY;
ALTER TABLE device_index FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON device_index
    USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid)
    WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid);

-- One row: the hospital itself. Its row lock makes the order of sequences the order of commits.
CREATE TABLE tenant (
    tenant_id UUID NOT NULL,
    word TEXT NOT NULL,
    name TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    closed BIGINT NOT NULL,
    quota_devices BIGINT,
    quota_bytes BIGINT,
    seal_key BYTEA NOT NULL,
    epoch BIGINT NOT NULL,
    head_seq BIGINT NOT NULL,
    durable_seq BIGINT NOT NULL,
    bytes_used BIGINT NOT NULL,
    PRIMARY KEY (tenant_id)
);
ALTER TABLE tenant ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tenant
    USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid)
    WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid);

-- The epochs that led to this one: the hospital was made, or restored, and counted on behind head.
CREATE TABLE epoch (
    tenant_id UUID NOT NULL,
    epoch BIGINT NOT NULL,
    head BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, epoch)
);
ALTER TABLE epoch ENABLE ROW LEVEL SECURITY;
ALTER TABLE epoch FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON epoch
    USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid)
    WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid);

-- Desks. sites: ids with spaces between.
CREATE TABLE device (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    public_key BYTEA NOT NULL,
    sites TEXT NOT NULL,
    history_to BIGINT NOT NULL,
    status TEXT NOT NULL,
    last_dseq BIGINT NOT NULL,
    chain BYTEA NOT NULL,
    enrolled_at BIGINT NOT NULL,
    last_contact_at BIGINT,
    unsent BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id)
);
ALTER TABLE device ENABLE ROW LEVEL SECURITY;
ALTER TABLE device FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON device
    USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid)
    WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid);

-- One-time enrolment codes.
CREATE TABLE code (
    tenant_id UUID NOT NULL,
    number TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    made_by UUID NOT NULL,
    made_at BIGINT NOT NULL,
    sites TEXT NOT NULL,
    history BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    used_by UUID,
    PRIMARY KEY (tenant_id, number)
);
ALTER TABLE code ENABLE ROW LEVEL SECURITY;
ALTER TABLE code FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON code
    USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid)
    WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid);

-- Who signs in at the server.
CREATE TABLE person (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    login TEXT NOT NULL,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    roles TEXT NOT NULL,
    sites TEXT NOT NULL,
    active BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    locked_until BIGINT,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, login)
);
ALTER TABLE person ENABLE ROW LEVEL SECURITY;
ALTER TABLE person FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON person
    USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid)
    WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid);

-- The sealed key of a desk's database.
CREATE TABLE desk_key (
    tenant_id UUID NOT NULL,
    device UUID NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (tenant_id, device)
);
ALTER TABLE desk_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE desk_key FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON desk_key
    USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid)
    WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid);

-- Everything that desks wrote, as it came. op_id: only where the op counts. dseq: not for what came by another desk.
CREATE TABLE op (
    tenant_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    op_id UUID,
    device UUID NOT NULL,
    dseq BIGINT,
    entity TEXT,
    record_id UUID,
    root UUID NOT NULL,
    bytes BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    effective BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    why TEXT NOT NULL,
    repair BIGINT NOT NULL,
    extra BYTEA,
    PRIMARY KEY (tenant_id, seq),
    UNIQUE (tenant_id, op_id),
    UNIQUE (tenant_id, device, dseq)
);
ALTER TABLE op ENABLE ROW LEVEL SECURITY;
ALTER TABLE op FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON op
    USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid)
    WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid);

-- What each scope is told. kind: 0 op, 1 arrive, 2 evict, 3 erase.
CREATE TABLE feed (
    tenant_id UUID NOT NULL,
    scope UUID NOT NULL,
    seq BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    root UUID NOT NULL,
    PRIMARY KEY (tenant_id, scope, seq)
);
ALTER TABLE feed ENABLE ROW LEVEL SECURITY;
ALTER TABLE feed FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON feed
    USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid)
    WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid);

-- The fold of the ops.
CREATE TABLE record (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    entity TEXT NOT NULL,
    root UUID NOT NULL,
    scope UUID NOT NULL,
    bucket BIGINT NOT NULL,
    state BYTEA NOT NULL,
    PRIMARY KEY (tenant_id, id, entity)
);
-- In the order in which records were made, for a first sync; the bucket only to be looked at in passing.
CREATE INDEX record_by_scope ON record (tenant_id, scope, id, entity, bucket);
CREATE INDEX record_by_root ON record (tenant_id, root);
ALTER TABLE record ENABLE ROW LEVEL SECURITY;
ALTER TABLE record FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON record
    USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid)
    WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid);

-- Sums of a scope's records, 64 of 16 bytes, and how many they are.
CREATE TABLE digest (
    tenant_id UUID NOT NULL,
    scope UUID NOT NULL,
    sums BYTEA NOT NULL,
    records BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, scope)
);
ALTER TABLE digest ENABLE ROW LEVEL SECURITY;
ALTER TABLE digest FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON digest
    USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid)
    WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid);

-- Patients to be erased, and erased ones: nothing of theirs comes back.
CREATE TABLE erasure (
    tenant_id UUID NOT NULL,
    root UUID NOT NULL,
    asked_by UUID NOT NULL,
    asked_at BIGINT NOT NULL,
    confirmed_by UUID,
    confirmed_at BIGINT,
    PRIMARY KEY (tenant_id, root)
);
ALTER TABLE erasure ENABLE ROW LEVEL SECURITY;
ALTER TABLE erasure FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON erasure
    USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid)
    WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid);

-- Attachments.
CREATE TABLE blob (
    tenant_id UUID NOT NULL,
    root UUID NOT NULL,
    sha256 BYTEA NOT NULL,
    size BIGINT NOT NULL,
    have BIGINT NOT NULL,
    complete BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, root, sha256)
);
ALTER TABLE blob ENABLE ROW LEVEL SECURITY;
ALTER TABLE blob FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON blob
    USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid)
    WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid);

-- Their bytes.
CREATE TABLE blob_part (
    tenant_id UUID NOT NULL,
    root UUID NOT NULL,
    sha256 BYTEA NOT NULL,
    start BIGINT NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (tenant_id, root, sha256, start)
);
ALTER TABLE blob_part ENABLE ROW LEVEL SECURITY;
ALTER TABLE blob_part FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON blob_part
    USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid)
    WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid);

-- Append-only, chained by hash.
CREATE TABLE audit (
    tenant_id UUID NOT NULL,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor UUID NOT NULL,
    act TEXT NOT NULL,
    object UUID NOT NULL,
    details TEXT NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (tenant_id, number)
);
ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit FORCE ROW LEVEL SECURITY;
CREATE POLICY read_own ON audit FOR SELECT USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid);
CREATE POLICY append_own ON audit FOR INSERT WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid);
-- The trail goes only with its hospital.
CREATE POLICY leave ON audit FOR DELETE USING (
    tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid AND current_setting('app.leaving', true) = 'yes'
);
