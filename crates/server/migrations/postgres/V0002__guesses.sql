-- From when a password counts for what needs two persons, and which desk set it first: a desk in wrong
-- hands can set first passwords, but not at once use two of them.
ALTER TABLE person ADD COLUMN trusted_from BIGINT NOT NULL DEFAULT 0;
ALTER TABLE person ADD COLUMN set_by UUID;

-- Who tried passwords and codes how often, from which address: the servers side by side count together. Rows belong
-- to the server's own tenant. tokens: thousandths of a try.
CREATE TABLE attempt (
    tenant_id UUID NOT NULL,
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    tokens BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, kind, address)
);
ALTER TABLE attempt ENABLE ROW LEVEL SECURITY;
ALTER TABLE attempt FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON attempt
    USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid)
    WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid);
