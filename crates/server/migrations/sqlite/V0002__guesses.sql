-- See the same migration for PostgreSQL.
ALTER TABLE person ADD COLUMN trusted_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE person ADD COLUMN set_by BLOB;

CREATE TABLE attempt (
    tenant_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, kind, address)
) STRICT, WITHOUT ROWID;
