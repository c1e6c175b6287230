-- What went with an erased patient, the patient among it: nothing about these records comes back.
CREATE TABLE erased_record (
    tenant_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    root BLOB NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX erased_record_root ON erased_record (tenant_id, root);
