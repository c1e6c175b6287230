//! Names of colleagues, and whom one may assign to or ask.

use std::collections::BTreeMap;

use aftercare_domain::access::Role;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use crate::app::Ctx;
use crate::error::Result;
use crate::staff;

/// Asks for the colleagues one may assign to or ask.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FollowupPeopleRequest")]
pub struct PeopleRequest {}

/// Colleagues by part.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "FollowupPeopleResponse")]
pub struct PeopleResponse {
    /// Who makes calls.
    pub callers: Vec<Person>,
    /// Who answers questions.
    pub experts: Vec<Person>,
    /// Departments of the experts, and of recent discharges.
    pub departments: Vec<String>,
}

/// A colleague.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "FollowupPerson")]
pub struct Person {
    /// The person.
    pub id: Uuid,
    /// Display name.
    pub name: String,
    /// Department.
    pub department: String,
}

/// Display names by id.
pub(super) struct People(BTreeMap<Uuid, (String, String)>);

impl People {
    /// Everybody who ever worked here.
    pub fn load(connection: &Connection) -> Result<Self> {
        let mut statement = connection.prepare_cached("SELECT id, display_name, job_number FROM staff")?;
        let rows = statement
            .query_map([], |row| Ok((row.get("id")?, (row.get("display_name")?, row.get("job_number")?))))?;
        Ok(Self(rows.collect::<rusqlite::Result<_>>()?))
    }

    /// A display name; empty for somebody this desk does not know yet.
    pub fn name(&self, id: Uuid) -> String {
        self.0.get(&id).map(|(name, _)| name.clone()).unwrap_or_default()
    }

    /// A 工号.
    pub fn job_number(&self, id: Uuid) -> String {
        self.0.get(&id).map(|(_, number)| number.clone()).unwrap_or_default()
    }
}

/// Colleagues one may assign to or ask.
pub fn people(ctx: &Ctx, _: PeopleRequest) -> Result<PeopleResponse> {
    ctx.read(|connection| {
        let members = staff::all(connection)?;
        let with = |roles: &[Role]| -> Vec<Person> {
            let fitting = members.iter().filter(|m| m.active && m.roles.iter().any(|role| roles.contains(role)));
            let person = |m: &staff::StaffMember| Person {
                id: m.id,
                name: m.display_name.clone(),
                department: m.department.clone(),
            };
            fitting.map(person).collect()
        };
        let experts = with(&[Role::Doctor]);
        let mut departments: Vec<String> = experts.iter().map(|expert| expert.department.clone()).collect();
        let mut statement = connection.prepare_cached(
            "SELECT DISTINCT department FROM
               (SELECT department FROM encounter WHERE discharged_on IS NOT NULL ORDER BY discharged_on DESC LIMIT 500)",
        )?;
        let recent = statement.query_map([], |row| row.get::<_, String>("department"))?;
        departments.extend(recent.collect::<rusqlite::Result<Vec<_>>>()?);
        departments.retain(|name| !name.trim().is_empty());
        departments.sort();
        departments.dedup();
        Ok(PeopleResponse { callers: with(&[Role::Nurse, Role::Supervisor]), experts, departments })
    })
}
