//! The moves of a complaint as a table: from where, by whom, and what forbids it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use super::ComplaintStatus::{
    self, Accepted, Approving, Closed, Investigating, NotAccepted, PassedOn, Rated, Registered, Replied,
    Replying, Withdrawn,
};
use super::{ComplaintKind, words};
use crate::access::Permission;

words! {
    /// What can be done to a complaint.
    MoveKind {
        /// 当场处理: answered and closed at once; praise and suggestions are closed so, too.
        Settle => "settle",
        /// 不予受理, with its reason.
        Refuse => "refuse",
        /// 受理 by the complained-about department.
        Accept => "accept",
        /// Name who investigates; again to name somebody else.
        Investigate => "investigate",
        /// 处理意见: the investigator's finding and proposal.
        Propose => "propose",
        /// 审批通过.
        Approve => "approve",
        /// 审批退回.
        SendBack => "send_back",
        /// 反馈 to the complainant.
        Reply => "reply",
        /// The complainant's rating of the handling.
        Rate => "rate",
        /// 结案.
        Close => "close",
        /// 重开, once.
        Reopen => "reopen",
        /// 转其他途径.
        PassOn => "pass_on",
        /// 撤诉.
        Withdraw => "withdraw",
        /// 申请延期, before the deadline.
        AskExtension => "ask_extension",
        /// 同意延期, before the deadline.
        GrantExtension => "grant_extension",
        /// 不同意延期.
        RefuseExtension => "refuse_extension",
        /// 暂停计时, with a reason.
        Pause => "pause",
        /// 恢复计时.
        Resume => "resume",
        /// Correct or complete what was registered; before and after are kept.
        Amend => "amend",
    }
}

words! {
    /// Who may make a move.
    Who {
        /// The customer-care department: whoever works on complaints.
        Office => "office",
        /// The head of a complained-about department.
        Department => "department",
        /// The one who investigates.
        Investigator => "investigator",
        /// An approving leader.
        Approver => "approver",
        /// The supervisor, also in the place of a department.
        Supervisor => "supervisor",
    }
}

/// A line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Which move.
    pub kind: MoveKind,
    /// From these states.
    pub from: &'static [ComplaintStatus],
    /// Any of these may make it.
    pub who: &'static [Who],
    /// Where it leads; the state it had if none.
    pub to: Option<ComplaintStatus>,
    /// Also while the clock is paused.
    pub paused: bool,
    /// Also for praise and suggestions.
    pub every_kind: bool,
}

const OPEN: &[ComplaintStatus] = &[Registered, Accepted, Investigating, Approving, Replying, Replied, Rated];
const WORKED_ON: &[ComplaintStatus] = &[Accepted, Investigating, Approving, Replying];
const UNANSWERED: &[ComplaintStatus] = &[Registered, Accepted, Investigating, Approving, Replying];
const OFFICE: &[Who] = &[Who::Office, Who::Supervisor];

const fn rule(
    kind: MoveKind,
    from: &'static [ComplaintStatus],
    who: &'static [Who],
    to: Option<ComplaintStatus>,
) -> Rule {
    Rule { kind, from, who, to, paused: false, every_kind: false }
}

/// Every move. The order is the order in which they are offered.
pub const RULES: &[Rule] = &[
    Rule { every_kind: true, ..rule(MoveKind::Settle, &[Registered], OFFICE, Some(Closed)) },
    rule(MoveKind::Accept, &[Registered], &[Who::Department, Who::Supervisor], Some(Accepted)),
    rule(
        MoveKind::Investigate,
        &[Accepted, Investigating],
        &[Who::Department, Who::Supervisor],
        Some(Investigating),
    ),
    rule(MoveKind::Propose, &[Investigating], &[Who::Investigator], Some(Approving)),
    rule(MoveKind::Approve, &[Approving], &[Who::Approver], Some(Replying)),
    rule(MoveKind::SendBack, &[Approving], &[Who::Approver], Some(Investigating)),
    rule(MoveKind::Reply, &[Replying], OFFICE, Some(Replied)),
    rule(MoveKind::Rate, &[Replied], OFFICE, Some(Rated)),
    rule(MoveKind::Close, &[Rated], OFFICE, Some(Closed)),
    rule(MoveKind::Reopen, &[Closed], OFFICE, Some(Accepted)),
    rule(MoveKind::Refuse, &[Registered], OFFICE, Some(NotAccepted)),
    Rule {
        paused: true,
        ..rule(MoveKind::PassOn, UNANSWERED, &[Who::Supervisor, Who::Approver], Some(PassedOn))
    },
    Rule { paused: true, every_kind: true, ..rule(MoveKind::Withdraw, OPEN, OFFICE, Some(Withdrawn)) },
    rule(
        MoveKind::AskExtension,
        UNANSWERED,
        &[Who::Office, Who::Department, Who::Investigator, Who::Supervisor],
        None,
    ),
    rule(MoveKind::GrantExtension, UNANSWERED, &[Who::Approver], None),
    rule(MoveKind::RefuseExtension, UNANSWERED, &[Who::Approver], None),
    rule(MoveKind::Pause, WORKED_ON, &[Who::Office, Who::Department, Who::Supervisor], None),
    Rule {
        paused: true,
        ..rule(MoveKind::Resume, WORKED_ON, &[Who::Office, Who::Department, Who::Supervisor], None)
    },
    Rule { paused: true, every_kind: true, ..rule(MoveKind::Amend, OPEN, OFFICE, None) },
];

/// Somebody complained about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accused {
    /// As the complainant names them.
    pub name: String,
    /// Where they work, if known.
    #[serde(default)]
    pub department: String,
    /// The colleague, where it is one who uses the program.
    #[serde(default)]
    pub staff_id: Option<Uuid>,
}

/// What the judge looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComplaintState {
    /// What was registered.
    pub kind: ComplaintKind,
    /// Where it stands.
    pub status: ComplaintStatus,
    /// Of a confidential category: only named roles see it.
    pub confidential: bool,
    /// The complained-about departments; the first leads.
    pub departments: Vec<String>,
    /// The complained-about colleagues.
    pub accused: Vec<Uuid>,
    /// Who registered it.
    pub registered_by: Uuid,
    /// Who investigates.
    pub investigator: Option<Uuid>,
    /// Until when it must be answered; none for praise and suggestions.
    pub due_on: Option<NaiveDate>,
    /// Since when the clock is paused.
    pub paused_on: Option<NaiveDate>,
    /// An extension that was asked for: until when, and by whom.
    pub wanted: Option<(NaiveDate, Uuid)>,
    /// Whether it was reopened.
    pub reopened: bool,
}

/// A move with what the judge has to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// A move that says nothing more to the judge.
    Plain(MoveKind),
    /// Names who investigates.
    Investigate(Uuid),
    /// Asks for time until then.
    AskExtension(NaiveDate),
    /// Takes the clock up again with this deadline.
    Resume(NaiveDate),
    /// Opens it again with this deadline.
    Reopen(NaiveDate),
    /// The departments, colleagues, deadline and kind afterwards.
    Amend {
        /// What it is.
        kind: ComplaintKind,
        /// Of a confidential category.
        confidential: bool,
        /// The departments.
        departments: Vec<String>,
        /// The colleagues.
        accused: Vec<Uuid>,
        /// Until when.
        due_on: Option<NaiveDate>,
    },
}

impl Move {
    /// Which move.
    pub fn kind(&self) -> MoveKind {
        match self {
            Self::Plain(kind) => *kind,
            Self::Investigate(_) => MoveKind::Investigate,
            Self::AskExtension(_) => MoveKind::AskExtension,
            Self::Resume(_) => MoveKind::Resume,
            Self::Reopen(_) => MoveKind::Reopen,
            Self::Amend { .. } => MoveKind::Amend,
        }
    }
}

/// Who wants to move it.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    /// The person.
    pub id: Uuid,
    /// Their permissions.
    pub permissions: &'a [Permission],
    /// Their department; empty when they have none.
    pub department: &'a str,
}

/// The permissions of somebody whose rights are not asked again: a desk that worked alone pushes its history.
pub fn trusted() -> &'static [Permission] {
    use Permission::{
        ComplaintApprove, ComplaintConfidential, ComplaintManage, ComplaintRead, ComplaintWork,
    };
    &[ComplaintRead, ComplaintWork, ComplaintApprove, ComplaintManage, ComplaintConfidential]
}

/// Why a move was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Not for this person's eyes.
    Hidden,
    /// Not from the state in which it is.
    State(ComplaintStatus),
    /// Praise and suggestions are not handled like this.
    Kind,
    /// Somebody else has to do this.
    Who,
    /// The person is complained about in it.
    Accused,
    /// The person approves what they investigated or asked for.
    OwnWork,
    /// The one who shall investigate is complained about.
    InvestigatorAccused,
    /// The clock is paused: resume first.
    Paused,
    /// The clock is not paused.
    NotPaused,
    /// The deadline has passed, or there is none.
    PastDeadline,
    /// The new deadline is not later than the old one.
    NotLater,
    /// An extension was asked for already.
    ExtensionAsked,
    /// No extension was asked for.
    NoExtension,
    /// It was reopened once; that is all.
    ReopenedOnce,
}

impl Refusal {
    /// The reason's code, on the wire and behind `complaint_` in the list of errors.
    pub fn code(self) -> &'static str {
        match self {
            Self::Hidden => "hidden",
            Self::State(_) => "state",
            Self::Kind => "kind",
            Self::Who => "who",
            Self::Accused => "accused",
            Self::OwnWork => "own_work",
            Self::InvestigatorAccused => "investigator_accused",
            Self::Paused => "paused",
            Self::NotPaused => "not_paused",
            Self::PastDeadline => "past_deadline",
            Self::NotLater => "not_later",
            Self::ExtensionAsked => "extension_asked",
            Self::NoExtension => "no_extension",
            Self::ReopenedOnce => "reopened_once",
        }
    }
}

/// Whether `actor` may make this move today (the hospital's date), as far as that can be said before its form is filled in.
pub fn allowed(
    state: &ComplaintState,
    kind: MoveKind,
    actor: &Actor<'_>,
    today: NaiveDate,
) -> Result<&'static Rule, Refusal> {
    let Some(rule) = RULES.iter().find(|rule| rule.kind == kind) else {
        return Err(Refusal::Kind);
    };
    if !sees(state, actor) {
        return Err(Refusal::Hidden);
    }
    if !rule.from.contains(&state.status) {
        return Err(Refusal::State(state.status));
    }
    if state.kind != ComplaintKind::Complaint && !rule.every_kind {
        return Err(Refusal::Kind);
    }
    if state.accused.contains(&actor.id) {
        return Err(Refusal::Accused);
    }
    if !rule.who.iter().any(|who| is(*who, state, actor)) {
        return Err(Refusal::Who);
    }
    if state.paused_on.is_some() && !rule.paused {
        return Err(Refusal::Paused);
    }
    let asked_by = state.wanted.map(|(_, by)| by);
    let in_time = state.due_on.is_some_and(|due| today <= due);
    match kind {
        MoveKind::Approve | MoveKind::SendBack if state.investigator == Some(actor.id) => {
            Err(Refusal::OwnWork)
        }
        MoveKind::GrantExtension | MoveKind::RefuseExtension if asked_by.is_none() => {
            Err(Refusal::NoExtension)
        }
        MoveKind::GrantExtension | MoveKind::RefuseExtension
            if asked_by == Some(actor.id) || state.investigator == Some(actor.id) =>
        {
            Err(Refusal::OwnWork)
        }
        MoveKind::AskExtension if asked_by.is_some() => Err(Refusal::ExtensionAsked),
        MoveKind::AskExtension | MoveKind::GrantExtension if !in_time => Err(Refusal::PastDeadline),
        MoveKind::Resume if state.paused_on.is_none() => Err(Refusal::NotPaused),
        MoveKind::Reopen if state.reopened => Err(Refusal::ReopenedOnce),
        _ => Ok(rule),
    }
}

/// Whether somebody may see it at all. Confidential ones are for named roles, for who received it and who investigates.
pub fn sees(state: &ComplaintState, actor: &Actor<'_>) -> bool {
    !state.confidential
        || actor.permissions.contains(&Permission::ComplaintConfidential)
        || state.registered_by == actor.id
        || state.investigator == Some(actor.id)
}

fn is(who: Who, state: &ComplaintState, actor: &Actor<'_>) -> bool {
    let has = |permission| actor.permissions.contains(&permission);
    match who {
        Who::Office => has(Permission::ComplaintWork),
        Who::Supervisor => has(Permission::ComplaintManage),
        Who::Approver => has(Permission::ComplaintApprove),
        Who::Investigator => state.investigator == Some(actor.id),
        Who::Department => {
            let own = actor.department.trim();
            has(Permission::ComplaintAccept)
                && !own.is_empty()
                && state.departments.iter().any(|name| name.trim() == own)
        }
    }
}

/// The verdict on a move: the state afterwards, or why not.
pub fn judge(
    state: &ComplaintState,
    wanted: &Move,
    actor: &Actor<'_>,
    today: NaiveDate,
) -> Result<ComplaintState, Refusal> {
    let kind = wanted.kind();
    let rule = allowed(state, kind, actor, today)?;
    let mut after = ComplaintState { status: rule.to.unwrap_or(state.status), ..state.clone() };
    if after.status.is_answered() {
        (after.wanted, after.paused_on) = (None, None);
    }
    match wanted {
        Move::Investigate(person) if state.accused.contains(person) => {
            return Err(Refusal::InvestigatorAccused);
        }
        Move::Investigate(person) => after.investigator = Some(*person),
        Move::AskExtension(until) => {
            later(state.due_on, *until, false)?;
            after.wanted = Some((*until, actor.id));
        }
        Move::Plain(MoveKind::GrantExtension) => {
            // A pause or a correction may have brought more time meanwhile.
            after.due_on = state.due_on.max(state.wanted.map(|(until, _)| until));
            after.wanted = None;
        }
        Move::Plain(MoveKind::RefuseExtension) => after.wanted = None,
        Move::Plain(MoveKind::Pause) => after.paused_on = Some(today),
        Move::Resume(due_on) => {
            later(state.due_on, *due_on, true)?;
            after.due_on = Some(*due_on);
            after.paused_on = None;
        }
        Move::Reopen(due_on) => {
            later(Some(today), *due_on, true)?;
            after.due_on = Some(*due_on);
            after.reopened = true;
            after.investigator = None;
        }
        Move::Amend { kind, confidential, departments, accused, due_on } => {
            if state.investigator.is_some_and(|person| accused.contains(&person)) {
                return Err(Refusal::InvestigatorAccused);
            }
            // Work that has begun belongs to a complaint; it does not become praise.
            if *kind != state.kind && state.status != Registered {
                return Err(Refusal::Kind);
            }
            after.kind = *kind;
            after.confidential = *confidential;
            after.departments.clone_from(departments);
            after.accused.clone_from(accused);
            after.due_on = *due_on;
        }
        Move::Plain(MoveKind::Investigate | MoveKind::AskExtension | MoveKind::Resume | MoveKind::Reopen) => {
            return Err(Refusal::NotLater);
        }
        Move::Plain(_) => {}
    }
    Ok(after)
}

fn later(old: Option<NaiveDate>, new: NaiveDate, or_same: bool) -> Result<(), Refusal> {
    match old {
        Some(old) if new < old || (new == old && !or_same) => Err(Refusal::NotLater),
        _ => Ok(()),
    }
}
