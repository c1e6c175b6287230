//! Names of colleagues, and who may be chosen.

use std::collections::BTreeMap;

use aftercare_domain::access::{Permission, permissions_of};
use rusqlite::Connection;
use uuid::Uuid;

use super::{PeopleResponse, Person};
use crate::error::Result;
use crate::staff;

/// Display names by id.
pub(super) struct Names(BTreeMap<Uuid, String>);

impl Names {
    /// Everybody who ever worked here.
    pub fn load(connection: &Connection) -> Result<Self> {
        let mut statement = connection.prepare_cached("SELECT id, display_name FROM staff")?;
        let rows = statement.query_map([], |row| Ok((row.get("id")?, row.get("display_name")?)))?;
        Ok(Self(rows.collect::<rusqlite::Result<_>>()?))
    }

    /// A display name; empty for somebody this desk does not know yet.
    pub fn of(&self, id: Uuid) -> String {
        self.0.get(&id).cloned().unwrap_or_default()
    }
}

/// Whether somebody with these permissions may be named as investigator.
pub(super) fn investigates(permissions: &[Permission]) -> bool {
    use Permission::{ComplaintAccept, ComplaintManage, ComplaintWork};
    [ComplaintAccept, ComplaintManage, ComplaintWork].iter().any(|one| permissions.contains(one))
}

/// Colleagues and departments for the form.
pub(super) fn choices(connection: &Connection) -> Result<PeopleResponse> {
    let members = staff::all(connection)?;
    let active = || members.iter().filter(|member| member.active);
    let person = |member: &staff::StaffMember| Person {
        id: member.id,
        name: member.display_name.clone(),
        department: member.department.clone(),
    };
    let mut departments: Vec<String> = active().map(|member| member.department.trim().to_owned()).collect();
    let mut statement = connection.prepare_cached(include_str!("sql/departments.sql"))?;
    let recent = statement.query_map([], |row| row.get::<_, String>("department"))?;
    departments.extend(recent.collect::<rusqlite::Result<Vec<_>>>()?);
    departments.retain(|name| !name.is_empty());
    departments.sort();
    departments.dedup();
    Ok(PeopleResponse {
        colleagues: active().map(person).collect(),
        investigators: active()
            .filter(|member| investigates(&permissions_of(&member.roles)))
            .map(person)
            .collect(),
        departments,
    })
}
