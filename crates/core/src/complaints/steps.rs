//! The chain of steps: appended, read, checked.

use aftercare_domain::complaint::{Broken, Step, check_chain, step_hash};
use aftercare_domain::op::FieldValue;
use rusqlite::{Connection, Row};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::people::Names;
use super::{ChainState, StepItem};
use crate::change_log::{COMPLAINT_STEP, Changed, Writer};
use crate::db;
use crate::error::{Error, Result};

/// Where the chain of a complaint ends.
pub(super) struct End {
    pub last: Option<Uuid>,
    pub hash: Vec<u8>,
    pub count: i64,
}

/// The end that the complaint's record names.
pub(super) fn end(connection: &Connection, complaint_id: Uuid) -> Result<End> {
    let (last, count): (Option<Uuid>, i64) = connection
        .prepare_cached("SELECT last_step, steps FROM complaint WHERE id = ?1")?
        .query_row([complaint_id], |row| Ok((row.get("last_step")?, row.get("steps")?)))?;
    let hash = match last {
        Some(id) => db::optional(
            connection
                .prepare_cached("SELECT hash FROM complaint_step WHERE id = ?1")?
                .query_row([id], |row| row.get::<_, Vec<u8>>("hash")),
        )?
        .unwrap_or_default(),
        None => Vec::new(),
    };
    Ok(End { last, hash, count })
}

/// Appends a step after `end`. The complaint's record names it already.
pub(super) fn append(
    writer: &mut Writer<'_>,
    complaint_id: Uuid,
    step_id: Uuid,
    end: &End,
    name: &str,
    body: Map<String, Value>,
) -> Result<()> {
    let mut step = Step {
        id: step_id,
        complaint_id,
        previous_id: end.last,
        ordinal: end.count + 1,
        name: name.to_owned(),
        body: Value::Object(body).to_string(),
        at: writer.now_millis(),
        user: writer.user(),
        hash: Vec::new(),
    };
    step.hash = step_hash(&end.hash, &step).to_vec();
    let fields = [
        ("complaint_id", complaint_id.into()),
        ("previous_id", step.previous_id.into()),
        ("ordinal", step.ordinal.into()),
        ("name", step.name.into()),
        ("body", step.body.into()),
        ("at", step.at.into()),
        ("user_id", step.user.into()),
        ("hash", FieldValue::Bytes(step.hash)),
    ];
    writer.create(&COMPLAINT_STEP, step_id, &fields)
}

/// What a correction changed, for the step's body.
pub(super) fn changes(changed: &[Changed]) -> Value {
    let inner = ["last_step", "steps", "edited_at"];
    let told = changed.iter().filter(|change| !inner.contains(&change.field));
    told.map(|c| json!({ "field": c.field, "before": plain(&c.before), "after": plain(&c.after) })).collect()
}

fn plain(value: &FieldValue) -> Value {
    match value {
        FieldValue::Null => Value::Null,
        FieldValue::Integer(value) => json!(value),
        FieldValue::Real(value) => json!(value),
        FieldValue::Text(text) => json!(text),
        FieldValue::Bytes(bytes) => {
            json!(Uuid::from_slice(bytes).map(|id| id.to_string()).unwrap_or_default())
        }
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Step> {
    Ok(Step {
        id: row.get("id")?,
        complaint_id: row.get("complaint_id")?,
        previous_id: row.get("previous_id")?,
        ordinal: row.get("ordinal")?,
        name: row.get("name")?,
        body: row.get("body")?,
        at: row.get("at")?,
        user: row.get("user_id")?,
        hash: row.get("hash")?,
    })
}

/// All steps of a complaint in the order they were made, each with whether it counts, and how the chain stands.
pub(super) fn all(
    connection: &Connection,
    complaint_id: Uuid,
    names: &Names,
) -> Result<(Vec<StepItem>, ChainState)> {
    let mut statement = connection.prepare_cached(include_str!("sql/steps.sql"))?;
    let steps = statement.query_map([complaint_id], read)?.collect::<rusqlite::Result<Vec<Step>>>()?;
    let last = end(connection, complaint_id)?.last;
    let chain = on_chain(&steps, last);
    let whole: Vec<Step> =
        chain.iter().filter_map(|id| steps.iter().find(|s| s.id == *id)).cloned().collect();
    let state = match check_chain(&whole, last) {
        Ok(()) => ChainState { whole: true, steps: whole.len() as u32, broken_at: None, head: head(&whole) },
        Err(Broken { ordinal }) => {
            let broken_at = u32::try_from(ordinal).ok();
            ChainState { whole: false, steps: whole.len() as u32, broken_at, head: head(&whole) }
        }
    };
    let items = steps.into_iter().map(|step| item(step, &chain, names)).collect::<Result<Vec<_>>>()?;
    Ok((items, state))
}

/// The ids from the first step to `last`, along what each names as the one before it.
fn on_chain(steps: &[Step], last: Option<Uuid>) -> Vec<Uuid> {
    let mut chain = Vec::new();
    let mut at = last;
    while let Some(step) = at.and_then(|id| steps.iter().find(|step| step.id == id)) {
        if chain.contains(&step.id) {
            break;
        }
        chain.push(step.id);
        at = step.previous_id;
    }
    chain.reverse();
    chain
}

fn head(chain: &[Step]) -> String {
    let hash = chain.last().map(|step| step.hash.as_slice()).unwrap_or_default();
    hash.iter().take(8).map(|byte| format!("{byte:02X}")).collect()
}

fn item(step: Step, chain: &[Uuid], names: &Names) -> Result<StepItem> {
    let mut body: Map<String, Value> = serde_json::from_str(&step.body)
        .map_err(|_| Error::internal(format!("step {} of a complaint", step.ordinal)))?;
    if let Some(id) = body.get("investigator").and_then(Value::as_str).and_then(|id| id.parse::<Uuid>().ok())
    {
        body.insert("investigator".to_owned(), json!(names.of(id)));
    }
    let changes = match body.remove("changes") {
        Some(changes) => serde_json::from_value(changes).unwrap_or_default(),
        None => Vec::new(),
    };
    let text = body.remove("text").and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default();
    Ok(StepItem {
        id: step.id,
        ordinal: u32::try_from(step.ordinal).unwrap_or(0),
        name: step.name,
        text: text.into(),
        form: body.into_iter().collect(),
        changes,
        at: step.at,
        by: names.of(step.user),
        counts: chain.contains(&step.id),
        hash: step.hash.iter().take(8).map(|byte| format!("{byte:02X}")).collect(),
    })
}
