//! Whom a row is about: a valid ID number or the hospital's number decides, anything else is a suspicion.

use aftercare_domain::person_name;
use aftercare_domain::same_person::{PersonFacts, Sameness, Suspicion, same_person};
use chrono::NaiveDate;
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::clean::Record;
use super::fields::Field;
use super::problem::{Code, Problem};
use super::stays::KnownStay;
use super::values;
use crate::archive;
use crate::error::Result;

/// What the archive knows of a person, as far as it decides who somebody is.
#[derive(Clone)]
pub struct Known {
    /// The person.
    pub id: Uuid,
    /// 病案号.
    pub mrn: Option<String>,
    /// As stored.
    pub name: String,
    sex: String,
    birth_on: Option<String>,
    id_number: Option<String>,
    address: Option<String>,
    /// Whether the archive says so.
    pub deceased: bool,
    /// When.
    pub deceased_on: Option<String>,
    merged_into: Option<Uuid>,
}

/// Whom a row is about.
pub enum Who {
    /// Somebody the archive knows.
    Known(Box<Known>),
    /// Somebody new, with those who may be the same person.
    New(Vec<(Uuid, Vec<Suspicion>)>),
    /// Nobody that can be decided; the row stays in the file.
    Refused(Field, Code),
}

fn read(row: &Row<'_>) -> rusqlite::Result<Known> {
    Ok(Known {
        id: row.get("id")?,
        mrn: row.get("mrn")?,
        name: row.get("name")?,
        sex: row.get("sex")?,
        birth_on: row.get("birth_on")?,
        id_number: row.get("id_number")?,
        address: row.get("address")?,
        deceased: row.get("deceased")?,
        deceased_on: row.get("deceased_on")?,
        merged_into: row.get("merged_into")?,
    })
}

/// People found by one key, each as the record that was kept when records were merged.
fn find(connection: &Connection, sql: &str, params: impl rusqlite::Params) -> Result<Vec<Known>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found: Vec<Known> = Vec::new();
    while let Some(row) = rows.next()? {
        let known = kept(connection, read(row)?)?;
        if !found.iter().any(|other| other.id == known.id) {
            found.push(known);
        }
    }
    Ok(found)
}

fn kept(connection: &Connection, known: Known) -> Result<Known> {
    if known.merged_into.is_none() {
        return Ok(known);
    }
    let id = archive::kept_id(connection, known.id)?;
    let found = connection.prepare_cached(include_str!("sql/person_by_id.sql"))?.query_row([id], read);
    Ok(crate::db::optional(found)?.unwrap_or(known))
}

/// Decides whom a row is about. May take a relative's ID number off the record.
pub fn decide(
    connection: &Connection,
    record: &mut Record,
    today: NaiveDate,
    archive_width: Option<usize>,
    same_visit_no: &[KnownStay],
    problems: &mut Vec<Problem>,
) -> Result<Who> {
    if let Some(width) = archive_width {
        restore_zeros(connection, record, width, problems)?;
    }
    let by_mrn = match &record.mrn {
        Some(mrn) => find(connection, include_str!("sql/person_by_mrn.sql"), [mrn])?,
        None => Vec::new(),
    };
    let by_id = match &record.id {
        Some(id) => find(connection, include_str!("sql/person_by_id_number.sql"), [&id.number])?,
        None => Vec::new(),
    };
    let newborn_beside_parent = |known: &Known| is_newborn(&known.name) != record.is_newborn;
    if !by_id.is_empty() && by_id.iter().all(newborn_beside_parent) {
        // The mother's number on the child's row. The child is somebody else.
        if record.is_newborn {
            problems.push(Problem::of(Field::IdNumber, Code::IdOfRelative));
            record.id = None;
        }
    } else if let Some(known) = best(by_id, record) {
        return Ok(by_id_number(known, record, problems));
    }
    if !by_mrn.is_empty() {
        return by_hospital_number(connection, by_mrn, record, today, problems);
    }
    if let Some(known) = by_other_numbers(connection, record, same_visit_no)? {
        return Ok(Who::Known(Box::new(known)));
    }
    Ok(Who::New(suspects(connection, record, today)?))
}

/// How long the archive's hospital numbers are, when those that begin with 0 all have one length.
pub fn width_in_archive(connection: &Connection) -> Result<Option<usize>> {
    let mut statement = connection.prepare(include_str!("sql/mrn_widths.sql"))?;
    let widths =
        statement.query_map([], |row| row.get::<_, i64>("width"))?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(match widths.as_slice() {
        [width] => usize::try_from(*width).ok(),
        _ => None,
    })
}

/// A number that lost its zeros, when the archive knows the full one under the same name; else a remark.
fn restore_zeros(
    connection: &Connection,
    record: &mut Record,
    width: usize,
    problems: &mut Vec<Problem>,
) -> Result<()> {
    let Some(mrn) = record.mrn.as_deref() else { return Ok(()) };
    if mrn.len() >= width || !mrn.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(());
    }
    let padded = format!("{mrn:0>width$}");
    let known = find(connection, include_str!("sql/person_by_mrn.sql"), [&padded])?;
    if known.iter().any(|known| same_name(&known.name, &record.name)) {
        problems.push(Problem::of(Field::Mrn, Code::ZerosRestored).with("width", width));
        record.mrn = Some(padded);
    } else {
        problems.push(Problem::of(Field::Mrn, Code::ZerosMissing).with("width", width));
    }
    Ok(())
}

fn by_id_number(known: Known, record: &Record, problems: &mut Vec<Problem>) -> Who {
    let other_mrn = both(known.mrn.as_deref(), record.mrn.as_deref()).is_some_and(|(a, b)| a != b);
    if other_mrn {
        problems.push(Problem::of(Field::Mrn, Code::MrnDiffers));
    }
    if !same_name(&known.name, &record.name) {
        let code = if other_mrn || known.mrn.is_none() { Code::NameDiffers } else { Code::NameChanged };
        problems.push(Problem::of(Field::Name, code));
    }
    Who::Known(Box::new(known))
}

fn by_hospital_number(
    connection: &Connection,
    found: Vec<Known>,
    record: &Record,
    today: NaiveDate,
    problems: &mut Vec<Problem>,
) -> Result<Who> {
    let other_id = |known: &Known| {
        both(known.id_number.as_deref(), record.id.as_ref().map(|id| id.number.as_str()))
            .is_some_and(|(a, b)| a != b && aftercare_domain::id_number::parse(a, today).is_ok())
    };
    let (contradicted, agreeing): (Vec<Known>, Vec<Known>) = found.into_iter().partition(other_id);
    if let Some(known) = best(agreeing, record) {
        if same_name(&known.name, &record.name) {
            return Ok(Who::Known(Box::new(known)));
        }
        if record.is_newborn && !is_newborn(&known.name) && !same_birth(&known, record) {
            return Ok(Who::New(suspects(connection, record, today)?));
        }
        if may_be_renamed(&known, record) {
            problems.push(Problem::of(Field::Name, Code::NameChanged));
            return Ok(Who::Known(Box::new(known)));
        }
        return Ok(Who::Refused(Field::Mrn, Code::MrnOfAnother));
    }
    // One hospital number, two valid ID numbers: with one name perhaps a corrected ID, else a mixed-up number.
    if contradicted.iter().any(|known| same_name(&known.name, &record.name)) {
        problems.push(Problem::of(Field::IdNumber, Code::IdChanged));
        let pairs = contradicted.iter().map(|known| (known.id, vec![Suspicion::MrnOtherId])).collect();
        return Ok(Who::New(pairs));
    }
    Ok(Who::Refused(Field::Mrn, Code::MrnOfAnother))
}

/// Card, outpatient and stay numbers lead to a person only together with the name.
fn by_other_numbers(
    connection: &Connection,
    record: &Record,
    same_visit_no: &[KnownStay],
) -> Result<Option<Known>> {
    let mut found = Vec::new();
    for stay in same_visit_no {
        found.extend(find(connection, include_str!("sql/person_by_id.sql"), [stay.patient_id])?);
    }
    if let Some(card_no) = &record.card_no {
        found.extend(find(connection, include_str!("sql/person_by_card_no.sql"), [card_no])?);
    }
    if let Some(number) = &record.outpatient_no {
        found.extend(find(connection, include_str!("sql/person_by_outpatient_no.sql"), [number])?);
    }
    found.retain(|known| {
        let mrns = both(known.mrn.as_deref(), record.mrn.as_deref());
        let ids = both(known.id_number.as_deref(), record.id.as_ref().map(|id| id.number.as_str()));
        same_name(&known.name, &record.name)
            && mrns.is_none_or(|(a, b)| a == b)
            && ids.is_none_or(|(a, b)| a == b)
    });
    Ok(best(found, record))
}

/// Those with the same name who may be the same person: same birth, or a telephone in common.
fn suspects(
    connection: &Connection,
    record: &Record,
    today: NaiveDate,
) -> Result<Vec<(Uuid, Vec<Suspicion>)>> {
    let birth = record.birth_on.map(values::date);
    let mut found: Vec<(Known, Vec<&str>)> = Vec::new();
    if let Some(birth) = &birth {
        let sql = include_str!("sql/person_by_name_birth.sql");
        found.extend(
            find(connection, sql, params![record.name, birth])?.into_iter().map(|known| (known, vec![])),
        );
    }
    for phone in &record.phones {
        let sql = include_str!("sql/person_by_phone.sql");
        for known in find(connection, sql, params![phone.number, record.name])? {
            match found.iter_mut().find(|(other, _)| other.id == known.id) {
                Some((_, phones)) => phones.push(phone.number.as_str()),
                None => found.push((known, vec![phone.number.as_str()])),
            }
        }
    }
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let phones: Vec<&str> = record.phones.iter().map(|phone| phone.number.as_str()).collect();
    let this = PersonFacts {
        name: &record.name,
        sex: record.sex,
        birth_on: birth.as_deref(),
        id_number: record.id.as_ref().map(|id| id.number.as_str()),
        mrn: record.mrn.as_deref(),
        address: record.address.as_deref(),
        phones: &phones,
    };
    let judged = found.iter().filter_map(|(known, shared)| {
        let other = PersonFacts {
            name: &known.name,
            sex: &known.sex,
            birth_on: known.birth_on.as_deref(),
            id_number: known.id_number.as_deref(),
            mrn: known.mrn.as_deref(),
            address: known.address.as_deref(),
            phones: shared,
        };
        match same_person(&this, &other, today) {
            Sameness::Suspected(reasons) => Some((known.id, reasons)),
            Sameness::Same(_) | Sameness::Different => None,
        }
    });
    Ok(judged.collect())
}

/// Of several, the one with the same hospital number and name.
fn best(found: Vec<Known>, record: &Record) -> Option<Known> {
    found.into_iter().max_by_key(|known| {
        let mrn = known.mrn.is_some() && known.mrn == record.mrn;
        let name = same_name(&known.name, &record.name);
        (name, mrn, is_newborn(&known.name) == record.is_newborn, std::cmp::Reverse(known.id))
    })
}

fn same_name(a: &str, b: &str) -> bool {
    a == b || bare(a) == bare(b)
}

fn bare(name: &str) -> String {
    person_name::clean(name).map_or_else(|_| name.to_owned(), |clean| clean.bare)
}

fn is_newborn(name: &str) -> bool {
    name.contains('之')
        && person_name::clean(name).is_ok_and(|clean| clean.flags.contains(&person_name::NameFlag::Newborn))
}

fn same_birth(known: &Known, record: &Record) -> bool {
    both(known.birth_on.as_deref(), record.birth_on.map(values::date).as_deref()).is_some_and(|(a, b)| a == b)
}

/// A child that got its name, a name put right: birth agrees, or nothing speaks against it and the surname stays.
fn may_be_renamed(known: &Known, record: &Record) -> bool {
    if known.birth_on.is_some() && record.birth_on.is_some() {
        return same_birth(known, record);
    }
    let unknown = person_name::clean(&known.name).is_ok_and(|clean| clean.is_unknown());
    unknown
        || record.is_unknown
        || is_newborn(&known.name)
        || known.name.chars().next() == record.name.chars().next()
}

fn both<'a>(a: Option<&'a str>, b: Option<&'a str>) -> Option<(&'a str, &'a str)> {
    a.zip(b)
}
