//! The sheets behind a figure.

use std::collections::BTreeMap;

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::survey::{Channel, Kind, POINT, Scale};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};
use uuid::Uuid;

use super::{RowsOf, RowsRequest, RowsResponse, Scope, SheetRow, figures, form, viewer};
use crate::app::Ctx;
use crate::error::{Error, Result};
use crate::settings::{self, Settings};

const COLUMNS: &str = "sheet.id, sheet.sheet_no, sheet.kind, sheet.channel, sheet.answered_on, sheet.visited_on, \
    sheet.department, sheet.doctor, sheet.points, sheet.overall, sheet.nps, sheet.valid, sheet.invalid_reason, \
    sheet.seconds, sheet.caller, sheet.patient_id, sheet.replaces_id, sheet.withdrawn";

/// Most rows of a page.
const MOST: u32 = 200;

pub(super) fn kind(row: &Row<'_>) -> rusqlite::Result<Kind> {
    // A kind of a newer program shows as the one that says least.
    Ok(Kind::parse(row.get_ref("kind")?.as_str()?).unwrap_or(Kind::Contact))
}

pub(super) fn channel(row: &Row<'_>) -> rusqlite::Result<Channel> {
    Ok(Channel::parse(row.get_ref("channel")?.as_str()?).unwrap_or(Channel::Paper))
}

fn read(row: &Row<'_>, settings: &Settings) -> rusqlite::Result<SheetRow> {
    Ok(SheetRow {
        id: row.get("id")?,
        sheet_no: row.get("sheet_no")?,
        kind: kind(row)?,
        channel: channel(row)?,
        answered_on: row.get("answered_on")?,
        visited_on: row.get("visited_on")?,
        department: row.get("department")?,
        doctor: row.get("doctor")?,
        score: form::hundred(row.get("points")?, settings),
        overall: row.get("overall")?,
        nps: row.get("nps")?,
        valid: row.get("valid")?,
        invalid_reason: row.get("invalid_reason")?,
        seconds: row.get("seconds")?,
        caller: row.get("caller")?,
        patient_id: row.get("patient_id")?,
        corrected: row.get::<_, Option<Uuid>>("replaces_id")?.is_some(),
        withdrawn: row.get("withdrawn")?,
    })
}

/// The latest sheet of the root that `id` belongs to, and the root.
///
/// # Errors
/// `NotFound`.
pub(super) fn one(connection: &Connection, id: Uuid, settings: &Settings) -> Result<(SheetRow, Uuid)> {
    let sql = format!(
        "SELECT {COLUMNS}, sheet.root_id FROM survey_sheet AS named
         JOIN survey_standing ON survey_standing.root_id = named.root_id
         JOIN survey_sheet AS sheet ON sheet.id = survey_standing.sheet_id WHERE named.id = ?1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row([id], |row| Ok((read(row, settings)?, row.get("root_id")?)))?)
}

/// Names of colleagues.
pub(super) fn people(connection: &Connection) -> Result<BTreeMap<Uuid, String>> {
    let mut statement = connection.prepare_cached("SELECT id, display_name FROM staff")?;
    let rows = statement.query_map([], |row| Ok((row.get("id")?, row.get("display_name")?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What a figure's rows have in common, on `sheet`. The sums are made of the same conditions.
fn of(of: RowsOf, settings: &Settings) -> String {
    let valid = |condition: &str| format!("sheet.valid = 1 AND {condition}");
    match of {
        RowsOf::Sheets => "1".to_owned(),
        RowsOf::Valid => valid("1"),
        RowsOf::Invalid => "sheet.valid = 0".to_owned(),
        RowsOf::Scored => valid("sheet.points IS NOT NULL"),
        RowsOf::Good => valid("sheet.overall >= 4"),
        RowsOf::Rated => valid("sheet.overall IS NOT NULL"),
        RowsOf::Promoters => valid("sheet.nps >= 9"),
        RowsOf::Detractors => valid("sheet.nps <= 6"),
        RowsOf::Recommending => valid("sheet.nps IS NOT NULL"),
        RowsOf::ComeBack => valid("sheet.come_back = 'yes'"),
        RowsOf::ComeBackAsked => valid("sheet.come_back IS NOT NULL"),
        RowsOf::Low => format!("(sheet.points < {} OR sheet.overall <= 2)", low_points(settings)),
    }
}

/// The hospital's limit in ten-thousandths of a point.
fn low_points(settings: &Settings) -> i64 {
    let hundred = i64::from(settings.survey_low_score);
    match settings.survey_scale {
        Scale::Times20 => hundred * POINT / 20,
        Scale::LessOneTimes25 => hundred * POINT / 25 + POINT,
    }
}

/// The condition of a scope's rows with its values; `FROM survey_standing JOIN survey_sheet AS sheet`.
pub(super) fn condition(scope: &Scope, request: &RowsRequest, settings: &Settings) -> (String, Vec<Value>) {
    let (mut condition, mut values) = figures::standing(scope);
    condition.push_str(&format!(" AND {}", of(request.of, settings)));
    if let Some(round) = request.round_id {
        condition.push_str(" AND survey_standing.round_id = ?");
        values.push(Value::Blob(round.as_bytes().to_vec()));
    }
    if let Some(code) = &request.dimension {
        condition.push_str(
            " AND sheet.valid = 1 AND EXISTS (SELECT 1 FROM json_each(sheet.results, '$.dimensions') AS part
               WHERE part.value ->> 'code' = ? AND part.value ->> 'points' IS NOT NULL)",
        );
        values.push(Value::Text(code.clone()));
    }
    (condition, values)
}

const FROM: &str = "survey_standing JOIN survey_sheet AS sheet ON sheet.id = survey_standing.sheet_id";

/// A page of rows, newest first.
///
/// # Errors
/// `Invalid` with `limit`, `cursor` or the scope's fields; `Forbidden`.
pub fn page(ctx: &Ctx, request: RowsRequest) -> Result<RowsResponse> {
    if !(1..=MOST).contains(&request.limit) {
        return Err(Error::field("limit", ErrorCode::BadNumber));
    }
    ctx.read(|connection| {
        let scope = viewer::scope(ctx, connection, &request.scope)?;
        let settings = settings::load(connection)?;
        let (mut condition, mut values) = condition(&scope, &request, &settings);
        let total: i64 = connection
            .prepare_cached(&format!("SELECT count(*) FROM {FROM} WHERE {condition}"))?
            .query_row(params_from_iter(values.clone()), |row| row.get(0))?;
        if let Some(cursor) = &request.cursor {
            let bad = || Error::field("cursor", ErrorCode::BadRequest);
            let (on, root) = cursor.split_once(' ').ok_or_else(bad)?;
            let root: Uuid = root.parse().map_err(|_| bad())?;
            condition.push_str(" AND (survey_standing.answered_on, survey_standing.root_id) < (?, ?)");
            values.extend([Value::Text(on.to_owned()), Value::Blob(root.as_bytes().to_vec())]);
        }
        let sql = format!(
            "SELECT {COLUMNS}, sheet.root_id FROM {FROM} WHERE {condition}
             ORDER BY survey_standing.answered_on DESC, survey_standing.root_id DESC LIMIT {}",
            request.limit
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let list = statement.query_map(params_from_iter(values), |row| {
            Ok((read(row, &settings)?, row.get::<_, Uuid>("root_id")?))
        })?;
        let list: Vec<(SheetRow, Uuid)> = list.collect::<rusqlite::Result<_>>()?;
        let full = list.len() == request.limit as usize;
        let next = list.last().filter(|_| full).map(|(row, root)| format!("{} {root}", row.answered_on));
        Ok(RowsResponse { rows: list.into_iter().map(|(row, _)| row).collect(), total, next_cursor: next })
    })
}

/// Every row of a scope, oldest first, handed to `each`.
pub(super) fn every(
    connection: &Connection,
    scope: &Scope,
    settings: &Settings,
    mut each: impl FnMut(&SheetRow, &Row<'_>) -> Result<()>,
) -> Result<()> {
    let (condition, values) = figures::standing(scope);
    let sql = format!(
        "SELECT {COLUMNS}, sheet.answers, sheet.come_back, sheet.lowest, sheet.form_code, sheet.entered_at FROM {FROM}
         WHERE {condition} ORDER BY survey_standing.answered_on, survey_standing.root_id"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        each(&read(row, settings)?, row)?;
    }
    Ok(())
}
