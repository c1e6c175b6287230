use aftercare_domain::access::Role;
use rusqlite::{Connection, Row};

use super::StaffMember;
use crate::change_log::{USER, Writer};
use crate::error::Result;

const COLUMNS: &str = "id, login, display_name, job_number, department, roles, active";

fn read(row: &Row<'_>) -> rusqlite::Result<StaffMember> {
    let roles: String = row.get("roles")?;
    Ok(StaffMember {
        id: row.get("id")?,
        login: row.get("login")?,
        display_name: row.get("display_name")?,
        job_number: row.get("job_number")?,
        department: row.get("department")?,
        // A role that a newer program knows is left out here, not lost: the column keeps it.
        roles: serde_json::from_str::<Vec<serde_json::Value>>(&roles)
            .unwrap_or_default()
            .into_iter()
            .filter_map(|role| serde_json::from_value::<Role>(role).ok())
            .collect(),
        active: row.get("active")?,
    })
}

/// Everybody, active first, by name.
pub fn all(connection: &Connection) -> Result<Vec<StaffMember>> {
    let sql = format!("SELECT {COLUMNS} FROM staff ORDER BY active DESC, display_name, login");
    let mut statement = connection.prepare_cached(&sql)?;
    let members = statement.query_map([], read)?.collect::<rusqlite::Result<_>>()?;
    Ok(members)
}

/// The person with this login, active or not. Should two desks have made two of them, whoever is active
/// and was made first.
pub fn by_login(connection: &Connection, login: &str) -> Result<Option<StaffMember>> {
    let sql = format!("SELECT {COLUMNS} FROM staff WHERE login = ?1 ORDER BY active DESC, id LIMIT 1");
    crate::db::optional(connection.prepare_cached(&sql)?.query_row([login], read))
}

pub(super) fn create(writer: &mut Writer<'_>, member: &StaffMember, password_chosen_at: i64) -> Result<()> {
    writer.create(
        &USER,
        member.id,
        &[
            ("login", member.login.clone().into()),
            ("display_name", member.display_name.clone().into()),
            ("job_number", member.job_number.clone().into()),
            ("department", member.department.clone().into()),
            ("roles", serde_json::to_string(&member.roles)?.into()),
            ("active", member.active.into()),
            ("password_changed_at", password_chosen_at.into()),
        ],
    )
}

pub(super) fn update(writer: &mut Writer<'_>, member: &StaffMember) -> Result<()> {
    writer.update(
        &USER,
        member.id,
        &[
            ("display_name", member.display_name.clone().into()),
            ("job_number", member.job_number.clone().into()),
            ("department", member.department.clone().into()),
            ("roles", serde_json::to_string(&member.roles)?.into()),
            ("active", member.active.into()),
        ],
    )?;
    Ok(())
}
