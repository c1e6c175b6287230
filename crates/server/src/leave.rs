//! A hospital's own copy of everything it has here: JSON lines, in the order records, ops, attachments.
//!
//! `{"kind":"record",…}` is what holds now, `{"kind":"op",…}` what was written, by whom and what became of it,
//! `{"kind":"attachment",…}` an attachment, followed by its bytes as `{"kind":"part",…}` in base64.

use std::io::{BufWriter, Write};
use std::path::Path;

use aftercare_domain::op::FieldValue;
use aftercare_sync::record::Record;
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::app::App;
use crate::authority::write_new;
use crate::failure::Failure;
use crate::store::{KeptBlob, KeptOp};

/// Lines of a page.
const PAGE: usize = 500;

/// How much was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// Records.
    pub records: u64,
    /// Ops.
    pub ops: u64,
    /// Attachments.
    pub attachments: u64,
}

/// Writes a hospital into a new file.
///
/// # Errors
/// Files, the store's.
pub async fn write(app: &App, tenant: Uuid, to: &Path) -> Result<Taken, Failure> {
    write_new(to, b"", 0o600).map_err(Failure::file(to))?;
    let file = std::fs::File::options().append(true).open(to).map_err(Failure::file(to))?;
    let mut file = BufWriter::new(file);
    let mut line = |line: Value| writeln!(file, "{line}").map_err(Failure::file(to));
    let taken = Taken {
        records: records(app, tenant, &mut line).await?,
        ops: ops(app, tenant, &mut line).await?,
        attachments: attachments(app, tenant, &mut line).await?,
    };
    let file = file.into_inner().map_err(|error| Failure::file(to)(error.into_error()))?;
    file.sync_all().map_err(Failure::file(to))?;
    Ok(taken)
}

type Line<'a> = dyn FnMut(Value) -> Result<(), Failure> + Send + 'a;

async fn records(app: &App, tenant: Uuid, line: &mut Line<'_>) -> Result<u64, Failure> {
    let (mut after, mut count) = (None, 0);
    loop {
        let records = app.store.export(tenant, after, PAGE).await?;
        let Some(last) = records.last() else {
            return Ok(count);
        };
        after = Some(last.key.clone());
        for record in &records {
            line(record_line(record))?;
            count += 1;
        }
    }
}

fn record_line(record: &Record) -> Value {
    let values: Map<String, Value> =
        record.values.iter().map(|(name, value)| (name.clone(), plain(value))).collect();
    json!({
        "kind": "record", "entity": record.key.entity, "id": record.key.id, "site": record.scope,
        "values": values,
    })
}

async fn ops(app: &App, tenant: Uuid, line: &mut Line<'_>) -> Result<u64, Failure> {
    let (mut after, mut count) = (0, 0);
    loop {
        let ops = app.store.export_ops(tenant, after, PAGE).await?;
        let Some(last) = ops.last() else {
            return Ok(count);
        };
        after = last.seq;
        for op in &ops {
            line(op_line(op))?;
            count += 1;
        }
    }
}

fn op_line(kept: &KeptOp) -> Value {
    // Of an erased patient numbers and verdict stay, and nothing else.
    let op = kept.op.as_ref().map(|op| {
        let fields: Map<String, Value> =
            op.fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect();
        json!({
            "id": op.op_id, "user": op.user, "entity": op.entity, "record": op.id,
            "command": op.command, "fields": fields, "base": op.base,
        })
    });
    json!({
        "kind": "op", "number": kept.seq, "desk": kept.device, "desk_number": kept.dseq,
        "at": kept.effective.millis(), "outcome": kept.outcome, "why": kept.why, "op": op,
    })
}

async fn attachments(app: &App, tenant: Uuid, line: &mut Line<'_>) -> Result<u64, Failure> {
    let all: Vec<KeptBlob> = app.store.export_blobs(tenant).await?;
    for blob in &all {
        let sha256 = data_encoding::HEXLOWER.encode(&blob.id.sha256);
        line(json!({ "kind": "attachment", "patient": blob.id.root, "sha256": sha256, "size": blob.size }))?;
        let mut offset = 0;
        while offset < blob.size {
            let part = app.store.export_blob_part(tenant, blob.id, offset).await?;
            if part.is_empty() {
                return Err(Failure::new("not_found", sha256));
            }
            let bytes = data_encoding::BASE64.encode(&part);
            line(json!({ "kind": "part", "sha256": sha256, "offset": offset, "bytes": bytes }))?;
            offset += i64::try_from(part.len()).unwrap_or(i64::MAX);
        }
    }
    Ok(all.len() as u64)
}

/// A field as JSON; ids as their text.
fn plain(value: &FieldValue) -> Value {
    match value {
        FieldValue::Null => Value::Null,
        FieldValue::Integer(value) => json!(value),
        FieldValue::Real(value) => json!(value),
        FieldValue::Text(text) => json!(text),
        FieldValue::Bytes(bytes) => match Uuid::from_slice(bytes) {
            Ok(id) => json!(id),
            Err(_) => json!(data_encoding::BASE64.encode(bytes)),
        },
    }
}
