//! Who looks at complaints, and which are for them.

use aftercare_domain::access::Permission;
use aftercare_domain::complaint::Actor;
use rusqlite::Connection;
use rusqlite::types::Value;
use uuid::Uuid;

use crate::app::Ctx;
use crate::db;
use crate::error::Result;

/// Somebody who looks.
pub(super) struct Viewer {
    pub user: Uuid,
    pub department: String,
    permissions: Vec<Permission>,
}

impl Viewer {
    /// The signed-in user.
    pub fn of(ctx: &Ctx, connection: &Connection) -> Result<Self> {
        let department: Option<String> = db::optional(
            connection
                .prepare_cached("SELECT department FROM staff WHERE id = ?1")?
                .query_row([ctx.user_id()], |row| row.get("department")),
        )?;
        Ok(Self {
            user: ctx.user_id(),
            department: department.unwrap_or_default().trim().to_owned(),
            permissions: ctx.session.permissions.clone(),
        })
    }

    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// As the judge knows them.
    pub fn actor(&self) -> Actor<'_> {
        Actor { id: self.user, permissions: &self.permissions, department: &self.department }
    }

    /// Whether they see complaints of every department.
    pub fn sees_all(&self) -> bool {
        [Permission::ComplaintWork, Permission::ComplaintApprove, Permission::ComplaintManage]
            .into_iter()
            .any(|permission| self.may(permission))
    }

    /// A condition on `complaint` that holds for what this person may see, with its values.
    pub fn condition(&self) -> (String, Vec<Value>) {
        let me = || Value::Blob(self.user.as_bytes().to_vec());
        let (mut condition, mut values) = (String::from("1"), Vec::new());
        if !self.may(Permission::ComplaintConfidential) {
            condition.push_str(
                " AND (complaint.confidential = 0 OR complaint.registered_by = ? OR complaint.investigator_id = ?)",
            );
            values.extend([me(), me()]);
        }
        if !self.sees_all() {
            condition.push_str(
                " AND (complaint.investigator_id = ? OR complaint.id IN
                   (SELECT complaint_id FROM complaint_department WHERE department = ?))",
            );
            values.extend([me(), Value::Text(self.department.clone())]);
        }
        (condition, values)
    }
}
