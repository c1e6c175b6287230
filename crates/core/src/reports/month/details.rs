//! The detail sheets: every record that figures count, so that each figure can be counted again.

use std::sync::atomic::{AtomicU64, Ordering};

use aftercare_domain::{id_number, person_name, phone};
use rusqlite::Connection;
use uuid::Uuid;

use super::super::detail::{self, PATIENT_NUMBERS};
use super::super::gather::{Columns, Keys, Shelf, row_numbers, walk};
use super::super::labels::masked;
use super::super::sheet::{Cell, Sheet};
use super::lines::{Line, Part, Population, Tally};
use super::voice::Voice;
use crate::app::jobs::Progress;
use crate::error::Result;

/// Records looked up at a time.
const PORTION: usize = 1 << 16;
/// Rows between two looks whether to stop.
const BREATH: usize = 2_048;

const PATIENTS: &str = "SELECT num, mrn, name, id_number FROM patient WHERE num >= ?1 ORDER BY num";

/// The columns of a population's detail, in their order. One named `…_on` holds days, one named `…_at` minutes.
pub(super) fn columns(population: Population) -> &'static [(&'static str, f64)] {
    match population {
        Population::Discharges => &[
            ("mrn", 12.0),
            ("visit_no", 14.0),
            ("patient_name", 10.0),
            ("id_number", 20.0),
            ("department", 16.0),
            ("doctor", 10.0),
            ("discharged_on", 12.0),
            ("expected", 9.0),
            ("followed", 9.0),
        ],
        Population::Tasks => &[
            ("mrn", 12.0),
            ("patient_name", 10.0),
            ("id_number", 20.0),
            ("phone", 15.0),
            ("department", 16.0),
            ("nurse", 10.0),
            ("plan", 22.0),
            ("timepoint", 8.0),
            ("due_on", 12.0),
            ("counted", 9.0),
            ("done", 9.0),
            ("timely", 9.0),
        ],
        Population::Calls => &[
            ("mrn", 12.0),
            ("patient_name", 10.0),
            ("department", 16.0),
            ("nurse", 10.0),
            ("plan", 22.0),
            ("called_at", 17.0),
            ("connected", 9.0),
            ("talk_seconds", 10.0),
        ],
        Population::Alerts => &[
            ("mrn", 12.0),
            ("patient_name", 10.0),
            ("department", 16.0),
            ("nurse", 10.0),
            ("plan", 22.0),
            ("raised_on", 12.0),
            ("level", 9.0),
            ("in_time", 9.0),
        ],
        Population::Complaints => &[
            ("number", 20.0),
            ("received_on", 12.0),
            ("kind", 9.0),
            ("category", 20.0),
            ("department", 16.0),
            ("severity", 9.0),
            ("answerable", 9.0),
            ("in_time", 9.0),
            ("judged", 9.0),
            ("founded", 9.0),
            ("rated", 9.0),
            ("satisfied", 9.0),
            ("reopened", 9.0),
        ],
        Population::Surveys => &[
            ("mrn", 12.0),
            ("patient_name", 10.0),
            ("department", 16.0),
            ("doctor", 10.0),
            ("survey_kind", 10.0),
            ("answered_on", 12.0),
            ("valid", 9.0),
            ("points", 9.0),
            ("good", 9.0),
            ("promoters", 9.0),
            ("detractors", 9.0),
        ],
        Population::Called | Population::Managed => &[],
    }
}

/// How a record is found by id, and read by row number: the patient, one text, one number.
fn queries(population: Population) -> Option<(&'static str, &'static str)> {
    Some(match population {
        Population::Discharges => (
            "SELECT id, rowid FROM encounter WHERE id >= ?1 ORDER BY id",
            "SELECT rowid, patient_id, visit_no, NULL FROM encounter WHERE rowid >= ?1 ORDER BY rowid",
        ),
        Population::Tasks => (
            "SELECT id, rowid FROM task WHERE id >= ?1 ORDER BY id",
            "SELECT rowid, patient_id, timepoint, NULL FROM task WHERE rowid >= ?1 ORDER BY rowid",
        ),
        Population::Calls => (
            "SELECT id, rowid FROM call WHERE id >= ?1 ORDER BY id",
            "SELECT rowid, patient_id, NULL, called_at FROM call WHERE rowid >= ?1 ORDER BY rowid",
        ),
        Population::Alerts => (
            "SELECT id, rowid FROM alert WHERE id >= ?1 ORDER BY id",
            "SELECT rowid, patient_id, NULL, NULL FROM alert WHERE rowid >= ?1 ORDER BY rowid",
        ),
        Population::Complaints => (
            "SELECT id, rowid FROM complaint WHERE id >= ?1 ORDER BY id",
            "SELECT rowid, NULL, number, confidential FROM complaint WHERE rowid >= ?1 ORDER BY rowid",
        ),
        Population::Surveys => (
            "SELECT id, rowid FROM survey_sheet WHERE id >= ?1 ORDER BY id",
            "SELECT rowid, patient_id, sheet_no, NULL FROM survey_sheet WHERE rowid >= ?1 ORDER BY rowid",
        ),
        Population::Called | Population::Managed => return None,
    })
}

/// What every detail sheet is written with.
pub(super) struct Writing<'a> {
    pub voice: &'a Voice,
    /// Names, IDs and phones in full.
    pub reveal: bool,
    /// Complaints of confidential categories too.
    pub confidential: bool,
    pub progress: &'a Progress,
    /// Rows written so far on all sheets, and how many there will be.
    pub done: &'a AtomicU64,
    pub total: u64,
}

/// What is known of a line's record and patient. Of a record that is not here any more, nothing.
#[derive(Default, Clone, Copy)]
struct Known<'a> {
    text: Option<&'a str>,
    number: Option<i64>,
    mrn: Option<&'a str>,
    name: Option<&'a str>,
    id_number: Option<&'a str>,
    phone: Option<&'a str>,
}

/// Writes a population's detail and counts it as it is written.
pub(super) fn write(
    sheet: &mut Sheet<'_>,
    writing: &Writing<'_>,
    connection: &Connection,
    population: Population,
    part: &Part,
) -> Result<Tally> {
    let mut tally = Tally::default();
    for lines in part.lines.chunks(PORTION) {
        let found = Found::read(connection, population, lines)?;
        for (place, line) in (0..).zip(lines) {
            if (place as usize).is_multiple_of(BREATH) {
                writing.progress.check()?;
                let done = writing.done.fetch_add(BREATH.min(lines.len()) as u64, Ordering::Relaxed);
                writing.progress.set(done.min(writing.total), writing.total);
            }
            row(sheet, writing, population, part, line, &found.at(place))?;
            tally.add(line);
        }
    }
    Ok(tally)
}

/// Records and patients of a portion, by place.
struct Found {
    records: Shelf,
    patients: Shelf,
    phones: Option<Shelf>,
}

impl Found {
    fn read(connection: &Connection, population: Population, lines: &[Line]) -> Result<Self> {
        let count = lines.len();
        let (mut records, mut patients) = (Shelf::new(count, 40), Shelf::new(count, 56));
        if let Some((by_id, by_number)) = queries(population) {
            let mut keys: Keys<Uuid> = lines.iter().zip(0..).map(|(line, place)| (line.id, place)).collect();
            keys.sort_unstable();
            let numbers = row_numbers(connection, by_id, &keys)?;
            walk(connection, by_number, &numbers, |place, row| records.put(place, row))?;
        }
        let people = records.keys(|mut record: Columns<'_>| record.id());
        let numbers = row_numbers(connection, PATIENT_NUMBERS, &people)?;
        walk(connection, PATIENTS, &numbers, |place, row| patients.put(place, row))?;
        let phones = (population == Population::Tasks)
            .then(|| detail::phones(connection, &people, count))
            .transpose()?;
        Ok(Self { records, patients, phones })
    }

    fn at(&self, place: u32) -> Known<'_> {
        let mut record = self.records.at(place).unwrap_or_default();
        let mut patient = self.patients.at(place).unwrap_or_default();
        let mut phone = self.phones.as_ref().and_then(|phones| phones.at(place)).unwrap_or_default();
        let _patient = record.id();
        Known {
            text: record.text(),
            number: record.integer(),
            mrn: patient.text(),
            name: patient.text(),
            id_number: patient.text(),
            phone: phone.text(),
        }
    }
}

fn row(
    sheet: &mut Sheet<'_>,
    writing: &Writing<'_>,
    population: Population,
    part: &Part,
    line: &Line,
    known: &Known<'_>,
) -> Result<()> {
    let voice = writing.voice;
    let flag = |name: &str| {
        let yes = line.flags & population.bit(name) != 0;
        Cell::Text(voice.text(if yes { "yes" } else { "no" }))
    };
    let name = || masked(known.name, writing.reveal, person_name::mask);
    let id = || masked(known.id_number, writing.reveal, id_number::mask);
    let [department, owner, word] = [line.department, line.owner, line.word].map(|place| part.name(place));
    // Day 693,594 of the common era is the day before Excel's calendar begins.
    let on = || Cell::Time(f64::from(line.on - 693_594));
    match population {
        Population::Discharges => sheet.row([
            known.mrn.into(),
            known.text.into(),
            name(),
            id(),
            Cell::Text(department),
            Cell::Text(owner),
            on(),
            flag("expected"),
            flag("followed"),
        ]),
        Population::Tasks => sheet.row([
            known.mrn.into(),
            name(),
            id(),
            masked(known.phone, writing.reveal, phone::mask),
            Cell::Text(department),
            Cell::Text(voice.person(owner)),
            Cell::Text(voice.plan(word)),
            known.text.into(),
            on(),
            flag("counted"),
            flag("done"),
            flag("timely"),
        ]),
        Population::Calls => sheet.row([
            known.mrn.into(),
            name(),
            Cell::Text(department),
            Cell::Text(voice.person(owner)),
            Cell::Text(voice.plan(word)),
            if known.number.is_some() { Cell::instant(known.number) } else { on() },
            flag("connected"),
            Cell::Integer(i64::from(line.value)),
        ]),
        Population::Alerts => sheet.row(alert(writing, part, line, known, name(), on())),
        Population::Complaints => complaint(sheet, writing, part, line, known, &flag, on()),
        Population::Surveys => sheet.row([
            known.mrn.into(),
            name(),
            Cell::Text(department),
            Cell::Text(owner),
            Cell::Text(voice.words.find(&format!("survey_kind.{word}")).unwrap_or(word)),
            on(),
            flag("valid"),
            if line.flags & population.bit("scored") != 0 {
                Cell::Number(f64::from(line.value) / 10_000.0)
            } else {
                Cell::Empty
            },
            flag("good"),
            flag("promoters"),
            flag("detractors"),
        ]),
        Population::Called | Population::Managed => Ok(()),
    }
}

fn alert<'a>(
    writing: &Writing<'a>,
    part: &'a Part,
    line: &Line,
    known: &Known<'a>,
    name: Cell<'a>,
    on: Cell<'a>,
) -> [Cell<'a>; 8] {
    let voice = writing.voice;
    let has = |flag: &str| line.flags & Population::Alerts.bit(flag) != 0;
    let (level, in_time) =
        [("red", "red_in_time"), ("orange", "orange_in_time"), ("yellow", "yellow_in_time")]
            .into_iter()
            .find(|(level, _)| has(level))
            .map_or(("none", false), |(level, in_time)| (level, has(in_time)));
    let word = |key: &'static str| Cell::Text(voice.text(key));
    [
        known.mrn.into(),
        name,
        Cell::Text(part.name(line.department)),
        Cell::Text(voice.person(part.name(line.owner))),
        Cell::Text(voice.plan(part.name(line.word))),
        on,
        word(match level {
            "red" => "level.red",
            "orange" => "level.orange",
            "yellow" => "level.yellow",
            _ => "level.none",
        }),
        word(if in_time { "yes" } else { "no" }),
    ]
}

fn complaint<'a>(
    sheet: &mut Sheet<'_>,
    writing: &Writing<'a>,
    part: &'a Part,
    line: &Line,
    known: &Known<'a>,
    flag: &dyn Fn(&str) -> Cell<'a>,
    on: Cell<'a>,
) -> Result<()> {
    let voice = writing.voice;
    let kinds = ["complaint", "praise", "suggestion"];
    let kind = kinds.into_iter().find(|kind| line.flags & Population::Complaints.bit(kind) != 0);
    // What is confidential counts, and says no more than that.
    let hidden = known.number == Some(1) && !writing.confidential;
    let open = |text: &'a str| Cell::Text(if hidden { voice.text("confidential") } else { text });
    sheet.row([
        known.text.into(),
        on,
        Cell::Text(match kind {
            Some("complaint") => voice.text("kind.complaint"),
            Some("praise") => voice.text("kind.praise"),
            Some("suggestion") => voice.text("kind.suggestion"),
            _ => "",
        }),
        open(voice.category(part.name(line.word))),
        open(voice.or_none(part.name(line.department))),
        open(voice.severity(part.name(line.owner))),
        flag("answerable"),
        flag("in_time"),
        flag("judged"),
        flag("founded"),
        flag("rated"),
        flag("satisfied"),
        flag("reopened"),
    ])
}
