//! Pages of complaints and the numbers of the board. Each view walks an index from where the page before ended.

use aftercare_domain::access::Permission;
use aftercare_domain::calendar::Calendar;
use aftercare_domain::complaint::{ClockState, ComplaintStatus, clock};
use aftercare_domain::error_code::ErrorCode;
use chrono::NaiveDate;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use uuid::Uuid;

use super::people::Names;
use super::store::{ITEM_COLUMNS, Shown};
use super::viewer::Viewer;
use super::when::{self, Rules};
use super::{Board, BoardState, ListItem, ListRequest, ListResponse, View, similar};
use crate::app::Ctx;
use crate::archive;
use crate::error::{Error, Result};

/// States in which an answer is owed; as the index on deadlines has them.
pub(super) const UNANSWERED: &str = "('registered', 'accepted', 'investigating', 'approving', 'replying')";
/// The table along the deadlines of what is unanswered.
pub(super) const DUE: &str = "complaint INDEXED BY complaint_by_due";
const OPEN: &str = "('registered', 'accepted', 'investigating', 'approving', 'replying', 'replied', 'rated')";

/// A condition with its values.
struct Where {
    sql: String,
    values: Vec<Value>,
}

impl Where {
    fn and(&mut self, sql: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(" AND ");
        self.sql.push_str(sql);
        self.values.extend(values);
    }
}

fn blob(id: Uuid) -> Value {
    Value::Blob(id.as_bytes().to_vec())
}

/// What waits for this person: their investigation, their department's acceptance, their approval, or what the office
/// does with a complaint that they registered.
fn mine(viewer: &Viewer) -> Where {
    let mut parts = vec!["(investigator_id = ? AND status = 'investigating')".to_owned()];
    let mut values = vec![blob(viewer.user)];
    if viewer.may(Permission::ComplaintAccept) {
        parts.push(
            "(status IN ('registered', 'accepted') AND complaint.id IN
              (SELECT complaint_id FROM complaint_department WHERE department = ?))"
                .to_owned(),
        );
        values.push(Value::Text(viewer.department.clone()));
    }
    if viewer.may(Permission::ComplaintApprove) {
        parts
            .push(format!("(status = 'approving' OR (wanted_until IS NOT NULL AND status IN {UNANSWERED}))"));
    }
    if viewer.may(Permission::ComplaintWork) {
        parts.push(
            "(registered_by = ? AND (status IN ('replying', 'replied', 'rated') OR (kind <> 'complaint' AND status = 'registered')))"
                .to_owned(),
        );
        values.push(blob(viewer.user));
    }
    if viewer.may(Permission::ComplaintManage) {
        parts.push("status IN ('registered', 'accepted', 'replying', 'replied', 'rated')".to_owned());
    }
    Where { sql: format!("status IN {OPEN} AND ({})", parts.join(" OR ")), values }
}

fn condition(
    connection: &Connection,
    request: &ListRequest,
    viewer: &Viewer,
    today: NaiveDate,
) -> Result<Where> {
    let (sql, values) = viewer.condition();
    let mut all = Where { sql, values };
    match request.view {
        View::Open => all.and(&format!("status IN {OPEN}"), []),
        View::Due => all.and(&format!("due_on IS NOT NULL AND status IN {UNANSWERED}"), []),
        View::Ended => all.and("status IN ('closed', 'not_accepted', 'passed_on', 'withdrawn')", []),
        View::Mine => {
            let mine = mine(viewer);
            all.and(&mine.sql, mine.values);
        }
        View::All => {}
    }
    if let Some(status) = request.status {
        all.and("status = ?", [Value::Text(status.as_str().to_owned())]);
    }
    if let Some(kind) = request.kind {
        all.and("kind = ?", [Value::Text(kind.as_str().to_owned())]);
    }
    if let Some(category) = request.category.as_deref().filter(|code| !code.is_empty()) {
        all.and("category = ?", [Value::Text(category.to_owned())]);
    }
    if let Some(name) = request.department.as_deref().filter(|name| !name.is_empty()) {
        let sql = "complaint.id IN (SELECT complaint_id FROM complaint_department WHERE department = ?)";
        all.and(sql, [Value::Text(name.to_owned())]);
    }
    if let Some(patient) = request.patient_id {
        of_patients(&mut all, archive::person_ids(connection, patient)?);
    }
    let find = request.find.as_ref().map(|text| text.reveal().trim()).filter(|text| !text.is_empty());
    if let Some(find) = find {
        found(connection, &mut all, find, today)?;
    }
    Ok(all)
}

fn of_patients(all: &mut Where, ids: Vec<Uuid>) {
    let places = vec!["?"; ids.len().max(1)].join(", ");
    let ids: Vec<Value> =
        if ids.is_empty() { vec![Value::Null] } else { ids.into_iter().map(blob).collect() };
    all.and(&format!("patient_id IN ({places})"), ids);
}

/// The beginning of a number, or whatever one finds patients by.
fn found(connection: &Connection, all: &mut Where, find: &str, today: NaiveDate) -> Result<()> {
    let number = find.to_uppercase();
    if number.starts_with("20") && number.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        all.and(
            "number >= ? AND number < ?",
            [Value::Text(number.clone()), Value::Text(format!("{number}~"))],
        );
        return Ok(());
    }
    let hits = archive::find(connection, find, 50, today)?.hits;
    of_patients(all, hits.into_iter().map(|hit| hit.patient_id).collect());
    Ok(())
}

/// A page.
///
/// # Errors
/// `Invalid` with `limit` or `cursor`.
pub(super) fn page(ctx: &Ctx, request: &ListRequest) -> Result<ListResponse> {
    if !(1..=200).contains(&request.limit) {
        return Err(Error::field("limit", ErrorCode::BadNumber));
    }
    let by_due = matches!(request.view, View::Due | View::Mine);
    let today = ctx.local_now().date();
    ctx.read(|connection| {
        let viewer = Viewer::of(ctx, connection)?;
        let mut all = condition(connection, request, &viewer, today)?;
        if let Some(cursor) = &request.cursor {
            let place = cursor.split_once('.').and_then(|(key, id)| Some((key, id.parse::<Uuid>().ok()?)));
            let (key, id) = place.ok_or_else(|| Error::field("cursor", ErrorCode::NotAllowed))?;
            if by_due {
                all.and(
                    "(coalesce(due_on, '9999'), complaint.id) > (?, ?)",
                    [Value::Text(key.to_owned()), blob(id)],
                );
            } else {
                let at = key.parse().map_err(|_| Error::field("cursor", ErrorCode::NotAllowed))?;
                all.and("(complaint.received_at, complaint.id) < (?, ?)", [Value::Integer(at), blob(id)]);
            }
        }
        let order = match (request.view, by_due) {
            (View::Due, _) => "due_on, complaint.id",
            (_, true) => "coalesce(due_on, '9999'), complaint.id",
            _ => "complaint.received_at DESC, complaint.id DESC",
        };
        all.values.push(Value::Integer(i64::from(request.limit) + 1));
        // Without statistics the planner would rather sort the whole state than walk the deadlines.
        let table = if request.view == View::Due { DUE } else { "complaint" };
        let sql = format!("SELECT {ITEM_COLUMNS} FROM {table} WHERE {} ORDER BY {order} LIMIT ?", all.sql);
        let mut rows = items(connection, &sql, all.values, today)?;
        let more = rows.len() > request.limit as usize;
        rows.truncate(request.limit as usize);
        let next_cursor = rows.last().filter(|_| more).map(|row| {
            let key = if by_due {
                row.due_on.clone().unwrap_or_else(|| "9999".to_owned())
            } else {
                row.received_at.to_string()
            };
            format!("{key}.{}", row.id)
        });
        Ok(ListResponse { rows, next_cursor })
    })
}

/// Rows of a query over [`ITEM_COLUMNS`].
pub(super) fn items(
    connection: &Connection,
    sql: &str,
    values: Vec<Value>,
    today: NaiveDate,
) -> Result<Vec<ListItem>> {
    let (names, rules) = (Names::load(connection)?, Rules::load(connection)?);
    let shown = Shown { names: &names, rules: &rules, today };
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| shown.item(row))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The numbers of the board.
pub(super) fn board(ctx: &Ctx) -> Result<Board> {
    let today = ctx.local_now().date();
    ctx.read(|connection| {
        let viewer = Viewer::of(ctx, connection)?;
        let rules = Rules::load(connection)?;
        let (sees, values) = viewer.condition();
        let states = by_state(connection, &sees, values.clone())?;
        let count = |sql: &str, values: Vec<Value>| -> Result<u32> {
            Ok(connection.prepare_cached(sql)?.query_row(params_from_iter(values), |row| row.get(0))?)
        };
        let [overdue, due_today, soon] =
            due(connection, &sees, values.clone(), today, &rules.calendar, rules.settings.complaint_warn_days)?;
        let mine = mine(&viewer);
        let mut all = values.clone();
        all.extend(mine.values);
        let waiting = count(&format!("SELECT count(*) FROM complaint WHERE {sees} AND {}", mine.sql), all)?;
        let others = format!(
            "SELECT count(*) FROM complaint WHERE {sees} AND status = 'registered' AND kind IN ('praise', 'suggestion')"
        );
        let mut of_promises = vec![Value::Text(today.to_string())];
        of_promises.extend(values.clone());
        let promises = format!(
            "SELECT count(*) FROM complaint_promise JOIN complaint ON complaint.id = complaint_id
             WHERE kept_at IS NULL AND complaint_promise.due_on < ? AND {sees}"
        );
        Ok(Board {
            states,
            overdue,
            today: due_today,
            soon,
            mine: waiting,
            others: count(&others, values)?,
            promises: count(&promises, of_promises)?,
            signals: if viewer.may(Permission::ComplaintManage) {
                similar::signals(connection, today)?
            } else {
                Vec::new()
            },
        })
    })
}

fn by_state(connection: &Connection, sees: &str, values: Vec<Value>) -> Result<Vec<BoardState>> {
    let sql = format!(
        "SELECT status, count(*) AS count FROM complaint WHERE status IN {OPEN} AND kind = 'complaint' AND {sees} GROUP BY status"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| {
        Ok((row.get::<_, String>("status")?, row.get::<_, u32>("count")?))
    })?;
    let found = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let open = ComplaintStatus::ALL.iter().filter(|status| !status.is_final());
    Ok(open
        .map(|status| BoardState {
            status: *status,
            count: found.iter().find(|(word, _)| word == status.as_str()).map_or(0, |(_, count)| *count),
        })
        .collect())
}

/// Past, today and soon, by days.
fn due(
    connection: &Connection,
    sees: &str,
    values: Vec<Value>,
    today: NaiveDate,
    calendar: &Calendar,
    warn: u32,
) -> Result<[u32; 3]> {
    let sql = format!(
        "SELECT due_on, count(*) AS count FROM {DUE}
         WHERE due_on IS NOT NULL AND status IN {UNANSWERED} AND paused_on IS NULL AND {sees} GROUP BY due_on"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| {
        Ok((row.get::<_, String>("due_on")?, row.get::<_, u32>("count")?))
    })?;
    let mut counts = [0; 3];
    for row in rows {
        let (due_on, count) = row?;
        match clock(when::parse_day(&due_on), false, today, calendar, warn).state {
            ClockState::Overdue => counts[0] += count,
            ClockState::Today => counts[1] += count,
            ClockState::Soon => counts[2] += count,
            _ => {}
        }
    }
    Ok(counts)
}
