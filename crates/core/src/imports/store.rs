use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::op::FieldValue;
use aftercare_domain::person_name;
use aftercare_tabular::Row;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::apply::Outcome;
use super::plan::Plan;
use super::problem::Problem;
use super::requests::{BatchInfo, RowInfo};
use super::run::Tally;
use super::words;
use crate::change_log::{IMPORT_BATCH, Overwritten, Writer};
use crate::error::{Error, Result};
use crate::words::Language;

/// A batch as it is written.
pub struct BatchRecord {
    pub id: Uuid,
    pub number: i64,
    pub file_name: String,
    pub sha: [u8; 32],
    pub format: &'static str,
    pub encoding: Option<String>,
    pub started_at: i64,
    pub finished_at: i64,
    pub tally: Tally,
    pub profile: String,
}

/// What a batch keeps of how its file was read.
#[derive(Serialize, Deserialize)]
pub struct BatchProfile {
    /// Every heading, by column; empty where there is none.
    pub headings: Vec<String>,
    /// The field of each column.
    pub fields: Vec<Option<String>>,
    /// The sheet's index.
    pub sheet: Option<usize>,
}

/// A value before and after, as kept for undoing.
pub type BeforeAfter = (FieldValue, FieldValue);

pub(super) fn profile_json(plan: &Plan) -> Result<String> {
    let width = plan.headings.columns.iter().map(|column| column.index + 1).max().unwrap_or(0);
    let mut profile = BatchProfile {
        headings: vec![String::new(); width],
        fields: vec![None; width],
        sheet: plan.table.sheet(),
    };
    for column in &plan.headings.columns {
        profile.headings[column.index].clone_from(&column.heading);
        profile.fields[column.index] = column.field.map(|field| field.code().to_owned());
    }
    Ok(serde_json::to_string(&profile)?)
}

impl BatchRecord {
    /// The batch as it is shown, for a report within the same transaction.
    pub fn info(&self) -> BatchInfo {
        let count = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        BatchInfo {
            id: self.id,
            number: self.number,
            file_name: self.file_name.clone(),
            format: self.format.to_owned(),
            encoding: self.encoding.clone(),
            started_at: self.started_at,
            finished_at: self.finished_at,
            user: String::new(),
            rows: count(self.tally.rows),
            created: count(self.tally.created),
            updated: count(self.tally.updated),
            unchanged: count(self.tally.unchanged),
            rejected: count(self.tally.rejected),
            left_out: count(self.tally.left_out),
            warnings: count(self.tally.warnings),
            duplicates: count(self.tally.duplicates),
            undone_at: None,
            here: true,
        }
    }
}

pub(super) fn create_batch(writer: &mut Writer<'_>, batch: &BatchRecord) -> Result<()> {
    let info = batch.info();
    let user = writer.user();
    writer.create(
        &IMPORT_BATCH,
        batch.id,
        &[
            ("number", batch.number.into()),
            ("file_name", batch.file_name.as_str().into()),
            ("file_sha256", FieldValue::Bytes(batch.sha.to_vec())),
            ("format", batch.format.into()),
            ("encoding", batch.encoding.clone().into()),
            ("started_at", batch.started_at.into()),
            ("finished_at", batch.finished_at.into()),
            ("user_id", user.into()),
            ("rows", info.rows.into()),
            ("created", info.created.into()),
            ("updated", info.updated.into()),
            ("unchanged", info.unchanged.into()),
            ("rejected", info.rejected.into()),
            ("left_out", info.left_out.into()),
            ("warnings", info.warnings.into()),
            ("duplicates", info.duplicates.into()),
            ("profile", batch.profile.as_str().into()),
        ],
    )
}

/// The site of this desk, whose patients an import brings.
pub(super) fn site(connection: &Connection) -> Result<Uuid> {
    Ok(connection.query_row("SELECT site_id FROM desk", [], |row| row.get("site_id"))?)
}

/// Keeps what became of a row, and its cells where something was wrong with it.
pub(super) fn add_row(
    connection: &Connection,
    batch: i64,
    row: &Row,
    outcome: Outcome,
    patient_id: Option<Uuid>,
    problems: &[Problem],
) -> Result<()> {
    let (problems, cells) = if problems.is_empty() {
        (None, None)
    } else {
        let cells: Vec<_> = row.cells.iter().map(|cell| cell.to_text()).collect();
        (Some(serde_json::to_string(problems)?), Some(serde_json::to_string(&cells)?))
    };
    let number = i64::try_from(row.number).map_err(Error::internal)?;
    connection
        .prepare_cached(
            "INSERT INTO import_row (batch, row, outcome, patient_id, problems, cells) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![batch, number, outcome.as_str(), patient_id, problems, cells])?;
    Ok(())
}

/// Keeps what an update overwrote.
pub(super) fn add_before(connection: &Connection, batch: i64, overwritten: &Overwritten) -> Result<()> {
    let fields: Vec<(&str, BeforeAfter)> = overwritten
        .fields
        .iter()
        .map(|changed| (changed.field, (changed.before.clone(), changed.after.clone())))
        .collect();
    connection
        .prepare_cached(
            "INSERT INTO import_before (batch, dseq, entity, record, fields) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            batch,
            overwritten.dseq,
            overwritten.entity.table,
            overwritten.id,
            serde_json::to_string(&fields)?
        ])?;
    Ok(())
}

fn read_batch(row: &rusqlite::Row<'_>) -> rusqlite::Result<BatchInfo> {
    Ok(BatchInfo {
        id: row.get("id")?,
        number: row.get("number")?,
        file_name: row.get("file_name")?,
        format: row.get("format")?,
        encoding: row.get("encoding")?,
        started_at: row.get("started_at")?,
        finished_at: row.get("finished_at")?,
        user: row.get("user")?,
        rows: row.get("rows")?,
        created: row.get("created")?,
        updated: row.get("updated")?,
        unchanged: row.get("unchanged")?,
        rejected: row.get("rejected")?,
        left_out: row.get("left_out")?,
        warnings: row.get("warnings")?,
        duplicates: row.get("duplicates")?,
        undone_at: row.get("undone_at")?,
        here: row.get("here")?,
    })
}

/// The newest batches.
pub(super) fn batches(connection: &Connection, limit: u32) -> Result<Vec<BatchInfo>> {
    let mut statement = connection.prepare(include_str!("sql/batches.sql"))?;
    let found = statement.query_map([limit.min(200)], read_batch)?.collect::<rusqlite::Result<_>>()?;
    Ok(found)
}

/// The batch that people call this: its number on this desk, or its id.
///
/// Errors: `NotFound`.
pub(super) fn batch(connection: &Connection, named: &str) -> Result<BatchInfo> {
    let named = named.trim();
    let found = if let Ok(number) = named.parse::<i64>() {
        crate::db::optional(connection.query_row(
            include_str!("sql/batch_by_number.sql"),
            [number],
            read_batch,
        ))?
    } else if let Ok(id) = Uuid::parse_str(named) {
        crate::db::optional(connection.query_row(include_str!("sql/batch_by_id.sql"), [id], read_batch))?
    } else {
        None
    };
    found.ok_or_else(|| Error::new(ErrorCode::NotFound))
}

/// Earlier batches, not taken back, of a file with this fingerprint.
pub(super) fn of_same_file(connection: &Connection, sha: &[u8; 32]) -> Result<Vec<i64>> {
    let mut statement = connection.prepare(
        "SELECT number FROM import_batch WHERE file_sha256 = ?1 AND undone_at IS NULL ORDER BY number",
    )?;
    let found = statement.query_map([sha.as_slice()], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(found)
}

/// A page of rows, names masked.
pub(super) fn rows(
    connection: &Connection,
    batch: i64,
    outcome: Option<&str>,
    after: i64,
    limit: u32,
    language: Language,
) -> Result<Vec<RowInfo>> {
    let read = |row: &rusqlite::Row<'_>| {
        Ok((
            RowInfo {
                row: row.get("row")?,
                outcome: row.get("outcome")?,
                patient_id: row.get("patient_id")?,
                patient_name: row.get::<_, Option<String>>("name")?.map(|name| person_name::mask(&name)),
                problems: Vec::new(),
            },
            row.get::<_, Option<String>>("problems")?,
        ))
    };
    let found: Vec<(RowInfo, Option<String>)> = if outcome == Some("warned") {
        let mut statement = connection.prepare_cached(include_str!("sql/rows_warned.sql"))?;
        statement.query_map(params![batch, after, limit], read)?.collect::<rusqlite::Result<_>>()?
    } else {
        let mut statement = connection.prepare_cached(include_str!("sql/rows.sql"))?;
        statement.query_map(params![batch, after, outcome, limit], read)?.collect::<rusqlite::Result<_>>()?
    };
    found
        .into_iter()
        .map(|(mut info, problems)| {
            let problems: Vec<Problem> =
                problems.map(|json| serde_json::from_str(&json)).transpose()?.unwrap_or_default();
            let number = u64::try_from(info.row).unwrap_or(0);
            info.problems = problems.iter().map(|problem| words::line(language, number, problem)).collect();
            Ok(info)
        })
        .collect()
}

/// What a batch keeps of its file.
pub(super) fn batch_profile(connection: &Connection, id: Uuid) -> Result<BatchProfile> {
    let json: String =
        connection
            .query_row("SELECT profile FROM import_batch WHERE id = ?1", [id], |row| row.get("profile"))?;
    Ok(serde_json::from_str(&json)?)
}
