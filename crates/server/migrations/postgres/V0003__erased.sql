-- What went with an erased patient, the patient among it: nothing about these records comes back.
CREATE TABLE erased_record (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    root UUID NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX erased_record_root ON erased_record (tenant_id, root);
ALTER TABLE erased_record ENABLE ROW LEVEL SECURITY;
ALTER TABLE erased_record FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON erased_record
    USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid)
    WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid);
