//! How the columns of a hospital's extract are matched, saved under a name and recognised by its headings.

use std::collections::HashMap;

use aftercare_domain::error_code::ErrorCode;
use rusqlite::Connection;
use uuid::Uuid;

use super::fields::Field;
use super::headings::{Column, comparable};
use super::requests::{ColumnChoice, ProfileColumn, ProfileInfo, ProfileSaveRequest};
use crate::change_log::{IMPORT_PROFILE, Writer};
use crate::error::{Error, FieldErrors, Result};

/// A saved matching.
pub struct Profile {
    /// Its id and name.
    pub info: ProfileInfo,
    columns: Vec<ProfileColumn>,
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<(ProfileInfo, String)> {
    Ok((ProfileInfo { id: row.get("id")?, name: row.get("name")? }, row.get("columns")?))
}

/// The profiles, by name.
pub fn all(connection: &Connection) -> Result<Vec<ProfileInfo>> {
    let mut statement = connection
        .prepare("SELECT id, name, columns FROM import_profile WHERE removed = 0 ORDER BY name, id")?;
    let found = statement.query_map([], read)?.map(|row| row.map(|(info, _)| info));
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// The profile with this id.
pub fn by_id(connection: &Connection, id: Uuid) -> Result<Option<Profile>> {
    let found = crate::db::optional(connection.query_row(
        "SELECT id, name, columns FROM import_profile WHERE id = ?1 AND removed = 0",
        [id],
        read,
    ))?;
    found.map(parsed).transpose()
}

/// The profile that was saved for exactly these headings, the newest of several.
pub fn recognised(connection: &Connection, columns: &[Column]) -> Result<Option<Profile>> {
    let headings = joined(columns.iter().map(|column| column.heading.as_str()));
    let found = crate::db::optional(connection.query_row(
        "SELECT id, name, columns FROM import_profile WHERE headings = ?1 AND removed = 0 ORDER BY id DESC LIMIT 1",
        [headings],
        read,
    ))?;
    found.map(parsed).transpose()
}

fn parsed((info, columns): (ProfileInfo, String)) -> Result<Profile> {
    Ok(Profile { info, columns: serde_json::from_str(&columns)? })
}

fn joined<'a>(headings: impl Iterator<Item = &'a str>) -> String {
    headings.map(comparable).collect::<Vec<_>>().join("|")
}

impl Profile {
    /// Matches columns as the profile says; headings it does not know keep what they were taken for.
    pub fn apply(&self, columns: &mut [Column]) {
        let known: HashMap<String, Option<Field>> = self
            .columns
            .iter()
            .map(|column| (comparable(&column.heading), column.field.as_deref().and_then(Field::from_code)))
            .collect();
        for column in columns {
            if let Some(field) = known.get(&comparable(&column.heading)) {
                column.field = *field;
                column.confidence = 100;
            }
        }
    }
}

/// What people chose for the columns, checked: known fields, and one column for each that takes one.
pub fn choose(columns: &mut [Column], choices: &[ColumnChoice]) -> Result<()> {
    let mut errors = FieldErrors::default();
    let mut taken: Vec<Field> = Vec::new();
    for column in columns.iter_mut() {
        column.field = None;
        column.confidence = 100;
    }
    for (at, choice) in choices.iter().enumerate() {
        let Some(code) = &choice.field else { continue };
        let field = Field::from_code(code);
        match (field, columns.iter_mut().find(|column| column.index == choice.index)) {
            (Some(field), Some(column)) => {
                if taken.contains(&field) && !field.takes_many_columns() {
                    errors.add(format!("columns.{at}.field"), ErrorCode::Taken);
                }
                taken.push(field);
                column.field = Some(field);
            }
            _ => errors.add(format!("columns.{at}.field"), ErrorCode::NotAllowed),
        }
    }
    errors.check()
}

/// Saves a profile; the same name is changed, another profile's is refused.
pub fn save(writer: &mut Writer<'_>, request: &ProfileSaveRequest) -> Result<ProfileInfo> {
    let name = request.name.trim().to_owned();
    let mut errors = FieldErrors::default();
    if name.is_empty() {
        errors.add("name", ErrorCode::Required);
    } else if name.chars().count() > 50 {
        errors.add_with("name", ErrorCode::TooLong, "max", 50);
    } else if all(writer.connection())?.iter().any(|other| other.name == name && Some(other.id) != request.id)
    {
        errors.add("name", ErrorCode::Taken);
    }
    errors.check()?;
    let known = request
        .columns
        .iter()
        .all(|c| c.field.as_deref().is_none_or(|code| Field::from_code(code).is_some()));
    if !known {
        return Err(Error::field("columns", ErrorCode::NotAllowed));
    }
    let headings = joined(request.columns.iter().map(|column| column.heading.as_str()));
    let fields = [
        ("name", name.clone().into()),
        ("headings", headings.into()),
        ("columns", serde_json::to_string(&request.columns)?.into()),
    ];
    let id = match request.id {
        Some(id) => {
            writer.update(&IMPORT_PROFILE, id, &fields)?;
            id
        }
        None => {
            let id = writer.new_id();
            writer.create(&IMPORT_PROFILE, id, &fields)?;
            id
        }
    };
    Ok(ProfileInfo { id, name })
}

/// Takes a profile away.
pub fn delete(writer: &mut Writer<'_>, id: Uuid) -> Result<()> {
    writer.update(&IMPORT_PROFILE, id, &[("removed", true.into())])?;
    Ok(())
}
