//! The discharge sheet: every stay that ended in the period, and whether it was followed up.

use aftercare_domain::person_name;
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::export::{Order, Totals};
use super::gather::{Columns, Keys, Shelf, row_numbers, walk};
use super::labels::{Labels, masked};
use super::sheet::{Cell, Sheet};
use crate::error::Result;

/// Stays read at a time.
const PORTION: usize = 1 << 17;

/// The columns of the sheet, in their order.
pub(super) const COLUMNS: [(&str, f64); 8] = [
    ("mrn", 12.0),
    ("visit_no", 14.0),
    ("name", 10.0),
    ("department", 16.0),
    ("discharged_on", 12.0),
    ("disposition", 14.0),
    ("followed", 10.0),
    ("expected", 12.0),
];

const DISCHARGED: &str =
    "SELECT rowid FROM encounter WHERE discharged_on BETWEEN ?1 AND ?2 ORDER BY discharged_on, rowid";
const STAYS: &str = include_str!("sql/discharge_stays.sql");
const PATIENT_NUMBERS: &str = "SELECT id, num FROM patient WHERE id >= ?1 ORDER BY id";
const PATIENTS: &str = include_str!("sql/discharge_patients.sql");
const FOLLOWED: &str = include_str!("sql/discharge_followed.sql");
/// 离院方式 of those who died.
const DIED: &str = "5";

/// Writes every discharge of the period, and counts them as they are written.
pub(super) fn write(
    sheet: &mut Sheet<'_>,
    labels: &Labels,
    order: &Order<'_>,
    connection: &Connection,
) -> Result<Totals> {
    let scope = order.scope;
    let mut statement = connection.prepare(DISCHARGED)?;
    let discharged: Vec<i64> = statement
        .query_map(params![scope.from, scope.to], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut totals = Totals::default();
    for portion in discharged.chunks(PORTION) {
        write_portion(sheet, labels, order, connection, portion, &mut totals)?;
    }
    Ok(Totals { cut: sheet.cut, ..totals })
}

fn write_portion(
    sheet: &mut Sheet<'_>,
    labels: &Labels,
    order: &Order<'_>,
    connection: &Connection,
    discharged: &[i64],
    totals: &mut Totals,
) -> Result<()> {
    let mut wanted: Keys<i64> = discharged.iter().zip(0..).map(|(number, place)| (*number, place)).collect();
    wanted.sort_unstable();
    let [mut stays, mut patients, mut followed] = [96, 48, 16].map(|width| Shelf::new(wanted.len(), width));
    walk(connection, STAYS, &wanted, |place, row| stays.put(place, row))?;
    if let Some(department) = order.scope.department.as_deref() {
        let elsewhere =
            |place: &u32| stays.at(*place).map(Stay::of).and_then(|stay| stay.department) != Some(department);
        let elsewhere: Vec<u32> = stays.places().filter(elsewhere).collect();
        elsewhere.into_iter().for_each(|place| stays.clear(place));
    }
    let people = stays.keys(|stay| Stay::of(stay).patient_id);
    let numbers = row_numbers(connection, PATIENT_NUMBERS, &people)?;
    walk(connection, PATIENTS, &numbers, |place, row| patients.put(place, row))?;
    let ids = stays.keys(|stay| Stay::of(stay).id);
    walk(connection, FOLLOWED, &ids, |place, row| followed.put(place, row))?;
    for place in stays.places() {
        let (Some(stay), Some(mut patient)) = (stays.at(place).map(Stay::of), patients.at(place)) else {
            continue;
        };
        let (mrn, name, may_be_called) = (patient.text(), patient.text(), patient.integer() == Some(1));
        let followed = followed.at(place).is_some();
        totals.discharges += 1;
        totals.followed += i64::from(followed);
        sheet.row([
            mrn.into(),
            stay.visit_no.into(),
            masked(name, order.reveal, person_name::mask),
            stay.department.into(),
            Cell::date(stay.discharged_on),
            labels.of("disposition", stay.disposition),
            labels.yes_no(followed),
            labels.yes_no(followed || may_be_called && stay.disposition != Some(DIED)),
        ])?;
    }
    Ok(())
}

/// A stay as [`STAYS`] reads it.
struct Stay<'a> {
    id: Option<Uuid>,
    patient_id: Option<Uuid>,
    visit_no: Option<&'a str>,
    department: Option<&'a str>,
    discharged_on: Option<&'a str>,
    disposition: Option<&'a str>,
}

impl<'a> Stay<'a> {
    fn of(mut stay: Columns<'a>) -> Self {
        Self {
            id: stay.id(),
            patient_id: stay.id(),
            visit_no: stay.text(),
            department: stay.text(),
            discharged_on: stay.text(),
            disposition: stay.text(),
        }
    }
}
