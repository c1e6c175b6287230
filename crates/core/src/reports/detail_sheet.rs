//! The detail sheet: a portion of tasks is read while the one before is written, and counted as it is written.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::{id_number, person_name, phone};
use rusqlite::Connection;
use uuid::Uuid;

use super::detail::{self, Detail, Names, Portion, Results};
use super::export::{Order, Totals};
use super::gather::Columns;
use super::labels::{Labels, masked};
use super::sheet::{Cell, Sheet, day};
use crate::error::{Error, Result};
use crate::forms;

/// The columns of the detail sheet, in their order.
pub(super) const COLUMNS: [(&str, f64); 32] = [
    ("mrn", 12.0),
    ("visit_no", 14.0),
    ("name", 10.0),
    ("sex", 6.0),
    ("age", 6.0),
    ("id_number", 20.0),
    ("number", 14.0),
    ("department", 14.0),
    ("doctor", 10.0),
    ("diagnosis_code", 14.0),
    ("diagnosis", 24.0),
    ("admitted_at", 16.0),
    ("discharged_at", 16.0),
    ("disposition", 12.0),
    ("plan", 18.0),
    ("plan_version", 8.0),
    ("timepoint", 8.0),
    ("due_on", 11.0),
    ("window_starts_on", 11.0),
    ("window_ends_on", 11.0),
    ("status", 10.0),
    ("end_reason", 16.0),
    ("attempts", 8.0),
    ("called_at", 16.0),
    ("outcome", 12.0),
    ("talk_seconds", 10.0),
    ("ended_at", 16.0),
    ("timely", 8.0),
    ("class", 12.0),
    ("alert", 14.0),
    ("caller", 10.0),
    ("remark", 30.0),
];

/// Reads one portion of tasks while the one before is written.
pub(super) fn write(
    sheet: &mut Sheet<'_>,
    labels: &Labels,
    order: &Order<'_>,
    connection: Connection,
    stop: &AtomicBool,
) -> Result<Totals> {
    let names = Names::read(&connection, order.language)?;
    let (send, receive) = sync_channel::<Portion>(0);
    std::thread::scope(|threads| {
        let reader = threads.spawn(move || {
            detail::each_portion(&connection, order.scope, |portion| {
                send.send(portion).map_err(|_| Error::internal("the sheet's thread hung up"))
            })
        });
        let mut written = Ok(Totals::default());
        for portion in receive {
            written = written
                .and_then(|totals| write_portion(sheet, labels, &names, order, stop, &portion, totals));
            if written.is_err() {
                break;
            }
        }
        let read = reader.join().map_err(|_| Error::internal("the reader's thread panicked"))?;
        // The writer's error is the cause when it hung up on the reader.
        let totals = written?;
        read?;
        Ok(Totals { rows: sheet.rows(), cut: sheet.cut, ..totals })
    })
}

#[allow(clippy::too_many_arguments)]
fn write_portion(
    sheet: &mut Sheet<'_>,
    labels: &Labels,
    names: &Names,
    order: &Order<'_>,
    stop: &AtomicBool,
    portion: &Portion,
    mut totals: Totals,
) -> Result<Totals> {
    for row in portion.rows() {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorCode::Cancelled));
        }
        write_row(sheet, labels, names, order.reveal, row, &mut totals)?;
    }
    Ok(totals)
}

fn write_row(
    sheet: &mut Sheet<'_>,
    labels: &Labels,
    names: &Names,
    reveal: bool,
    row: Detail<'_>,
    totals: &mut Totals,
) -> Result<()> {
    let Detail { mut task, mut patient, mut phone, mut stay, mut call, mut response, alert } = row;
    // The columns come in the order of the queries in `detail`; ids come first.
    let _ids = [task.id(), task.id(), task.id()];
    let plan_code = task.text();
    let plan_version =
        task.integer().and_then(|version| u32::try_from(version).ok()).map(forms::version_label);
    let timepoint = task.text();
    let [due_on, window_starts_on, window_ends_on] = [task.text(), task.text(), task.text()];
    let (status, end_reason) = (task.text().unwrap_or_default(), task.text());
    let (attempts, ended_at, assigned_to) = (task.integer(), Cell::instant(task.integer()), task.id());
    let timely = status == "done" && within(&ended_at, window_starts_on, window_ends_on);
    match status {
        "cancelled" | "skipped" | "waiting" => totals.taken_back += 1,
        _ => totals.counted += 1,
    }
    totals.done += i64::from(status == "done");
    totals.timely += i64::from(timely);

    let (mrn, name, sex, birth_on, id_number) =
        (patient.text(), patient.text(), patient.text(), patient.text(), patient.text());
    let age = birth_on.and_then(day).zip(due_on.and_then(day));
    let [visit_no, department, doctor, diagnosis_code] = [(); 4].map(|()| stay.text());
    let [diagnosis, admitted_at, discharged_at, disposition] = [(); 4].map(|()| stay.text());
    let alert = alert.map_or(Cell::Empty, |mut alert| {
        let [level, status] = [alert.text().unwrap_or_default(), alert.text().unwrap_or_default()];
        Cell::Made(format!("{} · {}", labels.word("level", level), labels.word("alert_status", status)))
    });
    let call = call.as_mut().map_or_else(Call::default, Call::of);
    let outcome = match call.reason {
        Some(reason) => Cell::Text(names.reason(reason)),
        None => labels.of("outcome", call.outcome),
    };
    let results = response.text().and_then(|results| serde_json::from_str::<Results<'_>>(results).ok());
    let class = results.as_ref().and_then(|results| results.class.as_deref());
    sheet.row([
        mrn.into(),
        visit_no.into(),
        masked(name, reveal, person_name::mask),
        labels.of("sex", sex),
        age.map(|(birth, due)| detail::age_years(birth, due)).into(),
        masked(id_number, reveal, id_number::mask),
        masked(phone.text(), reveal, phone::mask),
        department.into(),
        doctor.into(),
        diagnosis_code.into(),
        diagnosis.into(),
        Cell::minute(admitted_at),
        Cell::minute(discharged_at),
        labels.of("disposition", disposition),
        plan_code.map(|code| names.plan(code)).into(),
        plan_version.map_or(Cell::Empty, Cell::Made),
        timepoint.into(),
        Cell::date(due_on),
        Cell::date(window_starts_on),
        Cell::date(window_ends_on),
        labels.of("status", Some(status)),
        end_reason.map(|reason| names.reason(reason)).into(),
        attempts.into(),
        Cell::instant(call.called_at),
        outcome,
        call.talk_seconds.into(),
        ended_at,
        labels.yes_no(timely),
        labels.of("class", class),
        alert,
        call.user_id.or(assigned_to).map(|id| names.person(id)).into(),
        call.remark.into(),
    ])
}

/// The last call for a task.
#[derive(Default)]
struct Call<'a> {
    called_at: Option<i64>,
    outcome: Option<&'a str>,
    reason: Option<&'a str>,
    talk_seconds: Option<i64>,
    remark: Option<&'a str>,
    user_id: Option<Uuid>,
}

impl<'a> Call<'a> {
    fn of(call: &mut Columns<'a>) -> Self {
        let _tasks = call.text();
        Self {
            called_at: call.integer(),
            outcome: call.text(),
            reason: call.text(),
            talk_seconds: call.integer(),
            remark: call.text(),
            user_id: call.id(),
        }
    }
}

/// Whether a time lies on one of the days from `first` to `last`.
fn within(time: &Cell<'_>, first: Option<&str>, last: Option<&str>) -> bool {
    let (Cell::Time(at), Cell::Time(first), Cell::Time(last)) = (time, Cell::date(first), Cell::date(last))
    else {
        return false;
    };
    (first..=last).contains(&at.floor())
}
