//! Who may do what. Roles are the hospital's words; permissions are the program's.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A person's part in the department. One person may hold several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 客户关怀人员: calls patients.
    Nurse,
    /// 档案维护人员: keeps the archive and imports.
    Archivist,
    /// 专业医师: answers what nurses pass on.
    Doctor,
    /// 被投诉部门.
    DepartmentHead,
    /// 审批领导.
    Approver,
    /// 客户关怀部负责人: assigns, watches, reports.
    Supervisor,
    /// 考勤管理人员.
    AttendanceClerk,
    /// IT: staff, settings, imports, backup. Not the auditor.
    Administrator,
    /// Reads the audit trail.
    Auditor,
}

/// What a command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Anybody who is signed in.
    SignedIn,
    /// Find patients and read their record, masked.
    ArchiveRead,
    /// Change a patient's record.
    ArchiveWrite,
    /// See phone, ID and address in full (each time logged).
    ArchiveReveal,
    /// Correct the archive: merge and unmerge duplicates, take back a wrong death or refusal.
    ArchiveMerge,
    /// Run imports and read their results.
    ImportRun,
    /// Undo a batch.
    ImportUndo,
    /// Read plans and forms.
    FormsRead,
    /// Edit plans and forms into new versions.
    FormsEdit,
    /// Work the list: claim, call, save, pass on.
    FollowupWork,
    /// Read follow-up work: what was asked of experts, their replies, slips.
    FollowupRead,
    /// Assign tasks, close for others, see everybody's work.
    FollowupManage,
    /// Answer what was passed on.
    ExpertReply,
    /// See complaints: all of them with `ComplaintWork`, `ComplaintApprove` or `ComplaintManage`, else those of
    /// one's own department and those one investigates.
    ComplaintRead,
    /// Register complaints, tell the complainant, ask for the rating, close.
    ComplaintWork,
    /// Accept and investigate complaints about one's own department.
    ComplaintAccept,
    /// Approve proposals and extensions.
    ComplaintApprove,
    /// Stand in for departments, pass on, see signals.
    ComplaintManage,
    /// See complaints of confidential categories.
    ComplaintConfidential,
    /// See survey results and sheets: all of them with `SurveyWork` or `ComplaintApprove`, else one's own department's.
    SurveyRead,
    /// Ask patients by telephone, on the screen and from paper; correct sheets.
    SurveyWork,
    /// Draw and close rounds, withdraw sheets, see answers that are for few eyes.
    SurveyManage,
    /// See figures and the rows behind them.
    ReportRead,
    /// Take data out as Excel.
    ReportExport,
    /// Read the audit trail.
    AuditRead,
    /// Check that the audit chain is whole.
    AuditVerify,
    /// Change settings, calendar and dictionaries.
    SettingsEdit,
    /// Make users, give roles, reset passwords.
    StaffEdit,
    /// Make and restore backups.
    Backup,
}

impl Role {
    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "nurse" => Self::Nurse,
            "archivist" => Self::Archivist,
            "doctor" => Self::Doctor,
            "department_head" => Self::DepartmentHead,
            "approver" => Self::Approver,
            "supervisor" => Self::Supervisor,
            "attendance_clerk" => Self::AttendanceClerk,
            "administrator" => Self::Administrator,
            "auditor" => Self::Auditor,
            _ => return None,
        })
    }

    /// The permissions this role brings.
    pub fn permissions(self) -> &'static [Permission] {
        use Permission::*;
        match self {
            Role::Nurse => &[
                ArchiveRead,
                ArchiveWrite,
                ArchiveReveal,
                FormsRead,
                FollowupWork,
                FollowupRead,
                ComplaintRead,
                ComplaintWork,
                SurveyRead,
                SurveyWork,
                ReportRead,
            ],
            Role::Archivist => &[
                ArchiveRead,
                ArchiveWrite,
                ArchiveReveal,
                ArchiveMerge,
                ImportRun,
                ImportUndo,
                FormsRead,
                ReportRead,
            ],
            Role::Doctor => &[ArchiveRead, ArchiveReveal, FormsRead, FollowupRead, ExpertReply],
            Role::DepartmentHead => &[ArchiveRead, ComplaintRead, ComplaintAccept, SurveyRead, ReportRead],
            Role::Approver => {
                &[ArchiveRead, ComplaintRead, ComplaintApprove, ComplaintConfidential, SurveyRead, ReportRead]
            }
            Role::Supervisor => &[
                ArchiveRead,
                ArchiveWrite,
                ArchiveReveal,
                ArchiveMerge,
                ImportRun,
                ImportUndo,
                FormsRead,
                FormsEdit,
                FollowupWork,
                FollowupRead,
                FollowupManage,
                ComplaintRead,
                ComplaintWork,
                ComplaintManage,
                ComplaintConfidential,
                SurveyRead,
                SurveyWork,
                SurveyManage,
                ReportRead,
                ReportExport,
            ],
            Role::AttendanceClerk => &[ReportRead],
            Role::Administrator => &[
                ArchiveRead,
                ImportRun,
                ImportUndo,
                FormsRead,
                FormsEdit,
                ReportRead,
                AuditVerify,
                SettingsEdit,
                StaffEdit,
                Backup,
            ],
            Role::Auditor => &[AuditRead, AuditVerify],
        }
    }
}

/// All permissions of a person with these roles, sorted, each once.
pub fn permissions_of(roles: &[Role]) -> Vec<Permission> {
    let mut all: Vec<Permission> = vec![Permission::SignedIn];
    all.extend(roles.iter().flat_map(|role| role.permissions()));
    all.sort();
    all.dedup();
    all
}

/// Why a set of roles cannot be given to one person: the administrator is not the auditor.
pub fn roles_clash(roles: &[Role]) -> bool {
    roles.contains(&Role::Administrator) && roles.contains(&Role::Auditor)
}
