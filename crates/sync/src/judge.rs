//! Commands: the server rebuilds what somebody wanted from the op, asks `domain`'s judge (the same
//! one the desk asked), and says yes, no, or yes with other values.

use std::collections::BTreeMap;

use aftercare_domain::access::Permission;
use aftercare_domain::followup::{
    AlertCommand, AlertRefusal, AlertState, AlertStatus, ConsultCommand, ConsultStatus, judge_alert,
    judge_consult,
};
use aftercare_domain::forms::Level;
use aftercare_domain::op::{FieldValue, Op};
use aftercare_domain::task::{Refusal, TaskCommand, TaskState, TaskStatus, judge};

use crate::record::Record;

mod complaint;

/// A claim made online lasts four hours at most, a batch taken along 72: nothing lasts longer.
pub const LONGEST_CLAIM_MILLIS: i64 = 72 * 3600 * 1000;

/// What the judge says.
#[derive(Debug, Clone, PartialEq)]
pub enum Ruling {
    /// Yes; these fields take these values, whatever the op says of them.
    Yes(BTreeMap<String, FieldValue>),
    /// No, with the reason's code.
    No(&'static str),
    /// A newer program's command.
    Unknown,
}

/// What a judge may ask of a command's author.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Author {
    /// Their permissions.
    pub permissions: Vec<Permission>,
    /// Their department.
    pub department: String,
}

/// The verdict on a command for `record`. `at` is the command's effective time, not later than now (milliseconds UTC):
/// a desk that worked alone for months and pushes its history is judged as it judged itself. No author: their rights are
/// not asked.
pub fn rule(record: &Record, op: &Op, at: i64, author: Option<Author>) -> Ruling {
    match record.key.entity.as_str() {
        "task" => rule_task(record, op, at),
        "alert" => rule_alert(record, op),
        "consult" => rule_consult(record, op),
        "complaint" => complaint::rule(record, op, at, author),
        _ => Ruling::Unknown,
    }
}

fn rule_task(record: &Record, op: &Op, at: i64) -> Ruling {
    let Some(status) = record.text("status").and_then(TaskStatus::parse) else {
        return Ruling::Unknown;
    };
    let command = match op.command.as_deref() {
        Some("open") => TaskCommand::Open,
        Some("skip") => TaskCommand::Skip,
        Some("claim") => TaskCommand::Claim { by: op.user, until: claim_ends(op, at) },
        Some("release") => TaskCommand::Release { by: op.user },
        Some("complete") => TaskCommand::Complete { by: op.user },
        Some("fail") => TaskCommand::Fail,
        Some("expire") => TaskCommand::Expire,
        Some("cancel") => TaskCommand::Cancel,
        Some("reopen") => TaskCommand::Reopen { waits: wanted(op) == Some(TaskStatus::Waiting) },
        Some("take_back") => TaskCommand::TakeBack { to: wanted(op).unwrap_or(status) },
        _ => return Ruling::Unknown,
    };
    let claim = record.id("claimed_by").zip(record.integer("claimed_until"));
    match judge(&TaskState { status, claim }, &command, at) {
        Ok(after) => {
            let (by, until) = after.claim.unzip();
            Ruling::Yes(BTreeMap::from([
                ("status".to_owned(), after.status.as_str().into()),
                ("claimed_by".to_owned(), by.into()),
                ("claimed_until".to_owned(), until.into()),
            ]))
        }
        Err(Refusal::Claimed) => Ruling::No("claimed"),
        Err(Refusal::State(TaskStatus::Done)) => Ruling::No("already_done"),
        Err(Refusal::State(_)) => Ruling::No("state"),
    }
}

/// A claim lasts as long as its desk asked for, counted from its effective time.
fn claim_ends(op: &Op, at: i64) -> i64 {
    let asked = match op.fields.get("claimed_until") {
        Some(FieldValue::Integer(until)) => until.saturating_sub(op.hlc.millis()),
        _ => 0,
    };
    at.saturating_add(asked.clamp(0, LONGEST_CLAIM_MILLIS))
}

fn rule_alert(record: &Record, op: &Op) -> Ruling {
    let status = record.text("status").and_then(AlertStatus::parse);
    let level = record.text("level").and_then(|word| match word {
        "red" => Some(Level::Red),
        "orange" => Some(Level::Orange),
        "yellow" => Some(Level::Yellow),
        _ => None,
    });
    let (Some(status), Some(level)) = (status, level) else {
        return Ruling::Unknown;
    };
    let command = match op.command.as_deref() {
        Some("route") => AlertCommand::Route,
        Some("answer") => AlertCommand::Answer,
        Some("close") => AlertCommand::Close,
        Some("withdraw") => AlertCommand::Withdraw,
        // The first handling is noted once; who came second has nothing to add.
        Some("handle") if record.integer("handled_at").is_none() => return Ruling::Yes(BTreeMap::new()),
        Some("handle") => return Ruling::No("already_handled"),
        _ => return Ruling::Unknown,
    };
    match judge_alert(AlertState { status, level }, command) {
        Ok(after) => Ruling::Yes(BTreeMap::from([("status".to_owned(), after.as_str().into())])),
        Err(AlertRefusal::Unrouted) => Ruling::No("unrouted"),
        Err(AlertRefusal::State(_)) => Ruling::No("state"),
    }
}

fn rule_consult(record: &Record, op: &Op) -> Ruling {
    let Some(status) = record.text("status").and_then(ConsultStatus::parse) else {
        return Ruling::Unknown;
    };
    let command = match op.command.as_deref() {
        Some("answer") => ConsultCommand::Answer,
        Some("tell") => ConsultCommand::Tell,
        Some("withdraw") => ConsultCommand::Withdraw,
        _ => return Ruling::Unknown,
    };
    match judge_consult(status, command) {
        Ok(after) => Ruling::Yes(BTreeMap::from([("status".to_owned(), after.as_str().into())])),
        Err(_) => Ruling::No("state"),
    }
}

fn said<'a>(op: &'a Op, field: &str) -> Option<&'a str> {
    match op.fields.get(field) {
        Some(FieldValue::Text(word)) => Some(word),
        _ => None,
    }
}

fn wanted(op: &Op) -> Option<TaskStatus> {
    said(op, "status").and_then(TaskStatus::parse)
}
