//! One patient for another program, by hospital number: everything at once, in the hospital's own words.

use aftercare_domain::access::Permission;
use aftercare_domain::codes::name_of;
use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::personal::Personal;
use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};
use serde_json::json;
use ts_rs::TS;
use uuid::Uuid;

use super::{kept_id, mask_address, mask_number};
use crate::app::Ctx;
use crate::error::{Error, Result};

/// Encounters of one person at most; nobody has as many, and an answer is bounded.
const ENCOUNTERS: u32 = 10_000;

/// Asks for a patient by 病案号.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ArchiveSheetRequest")]
pub struct SheetRequest {
    /// As the hospital gives it.
    pub mrn: Personal,
}

/// A patient. Phone, ID number and address are in full where the user may see them so, masked otherwise.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ArchiveSheet")]
pub struct Sheet {
    /// 病案号.
    pub mrn: String,
    /// Full name.
    pub name: Personal,
    /// 男, 女 …, as GB/T 2261.1 names it.
    pub sex: String,
    /// `YYYY-MM-DD`.
    pub birth_date: Option<String>,
    /// Normalised.
    pub id_number: Option<Personal>,
    /// As the HIS or the desk has it.
    pub address: Option<Personal>,
    /// In the order of dialling.
    pub phones: Vec<SheetPhone>,
    /// Whether the patient died.
    pub deceased: bool,
    /// Newest first.
    pub encounters: Vec<SheetEncounter>,
    /// How many other patients have this number; absent when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub others_with_this_mrn: Option<u32>,
}

/// A phone of a patient or relative.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ArchiveSheetPhone")]
pub struct SheetPhone {
    /// Digits.
    pub number: Personal,
    /// Whose, by name, when it is known.
    pub owner: Option<Personal>,
    /// 本人, 配偶 …, as GB/T 4761 names it.
    pub relation: String,
}

/// A stay or visit.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ArchiveSheetEncounter")]
#[allow(missing_docs)] // The columns of `encounter`, by their names.
pub struct SheetEncounter {
    pub visit_no: Option<String>,
    pub department: String,
    pub admitted_at: Option<String>,
    pub discharged_at: Option<String>,
    pub diagnosis_code: Option<String>,
    pub diagnosis: Option<Personal>,
    pub doctor: Option<String>,
    /// 离院方式, its code on the front page.
    pub disposition: Option<String>,
    /// Yuan.
    pub total_fee: Option<f64>,
}

/// Opens a record by hospital number. Of several patients with one number it takes the one with the latest encounter,
/// then the older record. Showing it in full is audited as a reveal.
///
/// Errors: `NotFound`.
pub fn sheet(ctx: &Ctx, request: SheetRequest) -> Result<Sheet> {
    let full = ctx.may(Permission::ArchiveReveal);
    let (id, sheet) = ctx.read(|connection| read(connection, request.mrn.reveal().trim(), full))?;
    ctx.audit(if full { "archive.reveal" } else { "archive.read" }, Some(id), json!({ "sheet": true }))?;
    Ok(sheet)
}

fn read(connection: &Connection, mrn: &str, full: bool) -> Result<(Uuid, Sheet)> {
    // A record that was merged still answers to its number, with the person kept.
    let people = with_mrn(connection, mrn)?;
    let id = people.first().copied().ok_or_else(|| Error::new(ErrorCode::NotFound))?;
    let others = u32::try_from(people.len() - 1).ok().filter(|others| *others > 0);
    let mut sheet = connection.prepare_cached(include_str!("sql/record.sql"))?.query_row([id], |row| {
        let masked = |name: &str, mask: fn(&str) -> String| -> rusqlite::Result<Option<Personal>> {
            let value: Option<String> = row.get(name)?;
            Ok(value.map(|value| Personal::new(if full { value } else { mask(&value) })))
        };
        let sex: String = row.get("sex")?;
        Ok(Sheet {
            mrn: row.get::<_, Option<String>>("mrn")?.unwrap_or_default(),
            name: Personal::new(row.get::<_, String>("name")?),
            sex: named("sex", sex),
            birth_date: row.get("birth_on")?,
            id_number: masked("id_number", mask_number)?,
            address: masked("address", mask_address)?,
            phones: Vec::new(),
            deceased: row.get("deceased")?,
            encounters: Vec::new(),
            others_with_this_mrn: others,
        })
    })?;
    sheet.phones = phones(connection, id, &sheet.name, full)?;
    let mut statement = connection.prepare_cached(include_str!("sql/encounters.sql"))?;
    sheet.encounters = statement
        .query_map(rusqlite::params![id, ENCOUNTERS, 0], encounter)?
        .collect::<rusqlite::Result<_>>()?;
    Ok((id, sheet))
}

/// Everybody with this number, each as the record kept.
fn with_mrn(connection: &Connection, mrn: &str) -> Result<Vec<Uuid>> {
    let mut statement = connection.prepare_cached(include_str!("sql/with_mrn.sql"))?;
    let mut people: Vec<Uuid> = Vec::new();
    for id in statement.query_map([mrn], |row| row.get("id"))? {
        let kept = kept_id(connection, id?)?;
        if !people.contains(&kept) {
            people.push(kept);
        }
    }
    Ok(people)
}

fn phones(connection: &Connection, id: Uuid, own: &Personal, full: bool) -> Result<Vec<SheetPhone>> {
    let mut statement = connection.prepare_cached(include_str!("sql/phones.sql"))?;
    let phones = statement.query_map([id], |row| {
        let number: String = row.get("number")?;
        let owner: Option<String> = row.get("owner_name")?;
        let relation: String = row.get("relation")?;
        Ok(SheetPhone {
            number: Personal::new(if full { number } else { aftercare_domain::phone::mask(&number) }),
            owner: owner.map(Personal::new).or_else(|| (relation == "0").then(|| own.clone())),
            // 本人或户主 is the table's word for code 0; here it is always the person.
            relation: if relation == "0" { "本人".to_owned() } else { named("relation", relation) },
        })
    })?;
    Ok(phones.collect::<rusqlite::Result<_>>()?)
}

fn encounter(row: &Row<'_>) -> rusqlite::Result<SheetEncounter> {
    let fen: Option<i64> = row.get("total_fee_fen")?;
    Ok(SheetEncounter {
        visit_no: row.get("visit_no")?,
        department: row.get("department")?,
        admitted_at: row.get("admitted_at")?,
        discharged_at: row.get("discharged_at")?,
        diagnosis_code: row.get("diagnosis_code")?,
        diagnosis: row.get::<_, Option<String>>("diagnosis")?.map(Personal::new),
        doctor: row.get("doctor")?,
        disposition: row.get("disposition")?,
        // Exact up to 90 billion yuan: fen are whole numbers.
        total_fee: fen.map(|fen| fen as f64 / 100.0),
    })
}

/// The word of a code; the code itself where the table has none.
fn named(table: &str, code: String) -> String {
    name_of(table, &code).map_or(code, str::to_owned)
}
