//! Moving a complaint on: the form of each move checked, the judge asked, the record and a step written in one transaction.

use aftercare_domain::access::permissions_of;
use aftercare_domain::complaint::{Content, Move, MoveKind, Refusal, judge, resumed_deadline};
use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::op::FieldValue;
use aftercare_domain::plans::NamedCode;
use chrono::NaiveDate;
use rusqlite::Connection;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::form::{self, Kept, LONG};
use super::store::{self, Stored};
use super::viewer::Viewer;
use super::when::{self, Rules};
use super::{AmendRequest, MoveRequest, content, people, steps};
use crate::app::Ctx;
use crate::audit;
use crate::change_log::{COMPLAINT, Change, Writer};
use crate::error::{Error, FieldErrors, Result};
use crate::staff;

/// The error of a refusal.
pub(super) fn refused(why: Refusal) -> Error {
    let code = match why {
        Refusal::Hidden => ErrorCode::NotFound,
        Refusal::State(status) => {
            return Error::new(ErrorCode::ComplaintState).with("status", status.as_str());
        }
        Refusal::Kind => ErrorCode::ComplaintKind,
        Refusal::Who => ErrorCode::ComplaintWho,
        Refusal::Accused => ErrorCode::ComplaintAccused,
        Refusal::OwnWork => ErrorCode::ComplaintOwnWork,
        Refusal::InvestigatorAccused => ErrorCode::ComplaintInvestigatorAccused,
        Refusal::Paused => ErrorCode::ComplaintPaused,
        Refusal::NotPaused => ErrorCode::ComplaintNotPaused,
        Refusal::PastDeadline => ErrorCode::ComplaintPastDeadline,
        Refusal::NotLater => ErrorCode::ComplaintNotLater,
        Refusal::ExtensionAsked => ErrorCode::ComplaintExtensionAsked,
        Refusal::NoExtension => ErrorCode::ComplaintNoExtension,
        Refusal::ReopenedOnce => ErrorCode::ComplaintReopenedOnce,
    };
    Error::new(code)
}

/// Makes a move.
///
/// # Errors
/// `NotFound`, `Conflict` when somebody was faster, `Invalid` with fields, the refusals of the judge.
pub(super) fn make(ctx: &Ctx, request: &MoveRequest) -> Result<()> {
    if request.kind == MoveKind::Amend {
        return Err(Error::field("move", ErrorCode::NotAllowed));
    }
    ctx.write(|writer| {
        let connection = writer.connection();
        let viewer = Viewer::of(ctx, connection)?;
        let stored = store::load(connection, request.id, &viewer)?;
        same_page(&stored, request.seen_step)?;
        let today = when::day(writer.now_millis());
        aftercare_domain::complaint::allowed(&stored.state, request.kind, &viewer.actor(), today)
            .map_err(refused)?;
        let rules = Rules::load(connection)?;
        let filled = fill(connection, request, &stored, &rules, today)?;
        let after = judge(&stored.state, &filled.wanted, &viewer.actor(), today).map_err(refused)?;
        let mut fields = store::judged_fields(&stored.state, &after);
        fields.extend(filled.fields);
        match request.kind {
            MoveKind::Settle | MoveKind::Reply => fields.push(("replied_at", writer.now_millis().into())),
            MoveKind::Accept => fields.push(("accepted_at", writer.now_millis().into())),
            _ => {}
        }
        if after.status.is_final() {
            fields.push(("ended_at", writer.now_millis().into()));
        } else if stored.state.status.is_final() {
            fields.push(("ended_at", FieldValue::Null));
        }
        write(writer, request.id, request.kind.as_str(), fields, filled.body)
    })
}

/// Corrects what was registered; what was there before stays in the step.
///
/// # Errors
/// As [`make`].
pub(super) fn amend(ctx: &Ctx, request: &AmendRequest) -> Result<()> {
    ctx.write(|writer| {
        let connection = writer.connection();
        let viewer = Viewer::of(ctx, connection)?;
        let stored = store::load(connection, request.id, &viewer)?;
        same_page(&stored, request.seen_step)?;
        let today = when::day(writer.now_millis());
        aftercare_domain::complaint::allowed(&stored.state, MoveKind::Amend, &viewer.actor(), today)
            .map_err(refused)?;
        let rules = Rules::load(connection)?;
        let mut errors = FieldErrors::default();
        let text = text(&mut errors, "text", request.text.reveal(), true);
        let kept = kept(connection, request.id)?;
        let mut checked =
            form::check(&mut errors, connection, &request.form, stored.received_at, &rules, &kept)?;
        errors.check()?;
        keep_deadline(connection, request.id, &stored, &mut checked)?;
        let wanted = Move::Amend {
            kind: checked.kind,
            confidential: checked.confidential,
            departments: checked.departments.clone(),
            accused: checked.accused.iter().filter_map(|person| person.staff_id).collect(),
            due_on: checked.due_on,
        };
        let after = judge(&stored.state, &wanted, &viewer.actor(), today).map_err(refused)?;
        let mut fields = checked.fields;
        for judged in store::judged_fields(&stored.state, &after) {
            fields.retain(|(name, _)| *name != judged.0);
            fields.push(judged);
        }
        let body = Map::from_iter([("text".to_owned(), json!(text))]);
        write(writer, request.id, MoveKind::Amend.as_str(), fields, body)
    })
}

/// A correction that leaves the rule of the deadline alone leaves the deadline alone: it may have been extended.
fn keep_deadline(
    connection: &Connection,
    id: Uuid,
    stored: &Stored,
    checked: &mut form::Checked,
) -> Result<()> {
    let rule: String = connection
        .prepare_cached("SELECT deadline_rule FROM complaint WHERE id = ?1")?
        .query_row([id], |row| row.get("deadline_rule"))?;
    let same =
        checked.fields.iter().any(|(name, value)| *name == "deadline_rule" && *value == rule.as_str().into());
    if same || stored.state.reopened {
        checked.due_on = stored.state.due_on;
        checked.fields.retain(|(name, _)| *name != "due_on");
    }
    Ok(())
}

fn kept(connection: &Connection, id: Uuid) -> Result<Kept> {
    Ok(connection
        .prepare_cached("SELECT complainant_phone, complainant_id FROM complaint WHERE id = ?1")?
        .query_row([id], |row| {
            Ok(Kept { phone: row.get("complainant_phone")?, id_number: row.get("complainant_id")? })
        })?)
}

fn same_page(stored: &Stored, seen: Option<Uuid>) -> Result<()> {
    match seen {
        Some(step) if stored.last_step != Some(step) => Err(Error::new(ErrorCode::Conflict)),
        _ => Ok(()),
    }
}

/// Writes the record, the step and the audit line.
fn write(
    writer: &mut Writer<'_>,
    id: Uuid,
    name: &'static str,
    mut fields: Vec<Change>,
    mut body: Map<String, Value>,
) -> Result<()> {
    let end = steps::end(writer.connection(), id)?;
    let step_id = writer.new_id();
    fields.extend([
        ("last_step", step_id.into()),
        ("steps", (end.count + 1).into()),
        ("edited_at", writer.now_millis().into()),
    ]);
    let changed = writer.command(&COMPLAINT, id, name, &fields)?;
    if name == MoveKind::Amend.as_str() {
        body.insert("changes".to_owned(), steps::changes(&changed));
    }
    steps::append(writer, id, step_id, &end, name, body)?;
    let (now, user) = (writer.now_millis(), writer.user());
    audit::append(writer.connection(), now, user, "complaints.move", Some(id), &json!({ "move": name }))
}

/// A move's form, checked.
struct Filled {
    wanted: Move,
    fields: Vec<Change>,
    body: Map<String, Value>,
}

/// A text of a form, trimmed.
pub(super) fn text(errors: &mut FieldErrors, field: &str, text: &str, required: bool) -> String {
    let text = text.trim();
    if required && text.is_empty() {
        errors.add(field, ErrorCode::Required);
    } else if text.chars().count() > LONG {
        errors.add_with(field, ErrorCode::TooLong, "max", LONG);
    }
    text.to_owned()
}

/// Moves of which something must be said.
fn says(kind: MoveKind) -> bool {
    matches!(
        kind,
        MoveKind::Refuse
            | MoveKind::SendBack
            | MoveKind::Reopen
            | MoveKind::Withdraw
            | MoveKind::AskExtension
            | MoveKind::GrantExtension
            | MoveKind::RefuseExtension
    )
}

struct Gather<'a> {
    errors: FieldErrors,
    content: &'a Content,
    fields: Vec<Change>,
    body: Map<String, Value>,
}

impl Gather<'_> {
    fn code(&mut self, field: &'static str, column: &'static str, given: Option<&str>, list: &[NamedCode]) {
        match given.filter(|code| !code.is_empty()) {
            None => self.errors.add(field, ErrorCode::Required),
            Some(code) if list.iter().any(|one| one.code == code) => {
                self.fields.push((column, code.into()));
                self.body.insert(field.to_owned(), json!(code));
            }
            Some(_) => self.errors.add(field, ErrorCode::NotAllowed),
        }
    }

    fn words(&mut self, field: &'static str, given: &str, required: bool) {
        let words = text(&mut self.errors, field, given, required);
        self.body.insert(field.to_owned(), json!(words));
        self.fields.push((field, words.into()));
    }

    fn resolutions(&mut self, given: &[String], required: bool) -> Result<()> {
        if required && given.is_empty() {
            self.errors.add("resolutions", ErrorCode::Required);
        }
        let known = |code: &String| self.content.resolutions.iter().any(|one| one.code == *code);
        if !given.iter().all(known) {
            self.errors.add("resolutions", ErrorCode::NotAllowed);
        }
        self.fields.push(("resolutions", serde_json::to_string(given)?.into()));
        self.body.insert("resolutions".to_owned(), json!(given));
        Ok(())
    }
}

fn fill(
    connection: &Connection,
    request: &MoveRequest,
    stored: &Stored,
    rules: &Rules,
    today: NaiveDate,
) -> Result<Filled> {
    let content = content()?;
    let mut form = Gather { errors: FieldErrors::default(), content, fields: Vec::new(), body: Map::new() };
    let said = text(&mut form.errors, "text", request.text.reveal(), says(request.kind));
    form.body.insert("text".to_owned(), json!(said));
    let reason = request.reason.as_deref();
    match request.kind {
        MoveKind::Settle => {
            let complaint = stored.state.due_on.is_some();
            form.words("reply", request.reply.reveal(), complaint);
            form.resolutions(&request.resolutions, false)?;
            if complaint {
                form.code("reply_way", "reply_way", request.reply_way.as_deref(), &content.reply_ways);
                form.fields.push(("end_reason", "spot".into()));
            }
        }
        MoveKind::Propose => {
            form.words("finding", request.finding.reveal(), true);
            form.words("measures", request.measures.reveal(), false);
            form.words("reply", request.reply.reveal(), true);
            form.code("verdict", "verdict", request.verdict.as_deref(), &content.verdicts);
            form.resolutions(&request.resolutions, true)?;
        }
        MoveKind::Reply => {
            form.words("reply", request.reply.reveal(), true);
            form.code("reply_way", "reply_way", request.reply_way.as_deref(), &content.reply_ways);
        }
        MoveKind::Rate => form.code("attitude", "attitude", request.attitude.as_deref(), &content.attitudes),
        MoveKind::Refuse => form.code("reason", "end_reason", reason, &content.not_accepted),
        MoveKind::PassOn => form.code("reason", "end_reason", reason, &content.passed_on),
        MoveKind::Pause => form.code("reason", "pause_reason", reason, &content.pauses),
        MoveKind::Reopen => {
            for name in ["end_reason", "attitude", "replied_at", "reply_way"] {
                form.fields.push((name, FieldValue::Null));
            }
        }
        _ => {}
    }
    let wanted = wanted(connection, request, stored, rules, today, &mut form)?;
    form.errors.check()?;
    Ok(Filled { wanted, fields: form.fields, body: form.body })
}

fn wanted(
    connection: &Connection,
    request: &MoveRequest,
    stored: &Stored,
    rules: &Rules,
    today: NaiveDate,
    form: &mut Gather<'_>,
) -> Result<Move> {
    Ok(match request.kind {
        MoveKind::Investigate => {
            let id = investigator(connection, request.investigator_id, &mut form.errors)?;
            form.body.insert("investigator".to_owned(), json!(id));
            Move::Investigate(id)
        }
        MoveKind::AskExtension => {
            let until = request.until.as_deref().and_then(when::parse_day);
            let Some(until) = until else {
                let given = request.until.as_deref().is_some_and(|text| !text.is_empty());
                form.errors.add("until", if given { ErrorCode::BadDate } else { ErrorCode::Required });
                return Ok(Move::AskExtension(today));
            };
            let until = rules.calendar.end_of_period(until, 0).date;
            form.body.insert("until".to_owned(), json!(until.to_string()));
            Move::AskExtension(until)
        }
        MoveKind::Resume => {
            let (due, paused) = (stored.state.due_on, stored.state.paused_on);
            let due =
                due.zip(paused).map(|(due, paused)| resumed_deadline(&rules.calendar, due, paused, today));
            let due = due.map_or(today, |day| day.date);
            form.body.insert("due_on".to_owned(), json!(due.to_string()));
            Move::Resume(due)
        }
        MoveKind::Reopen => {
            let rule = if stored.state.departments.len() > 1 { "multi" } else { "single" };
            let due = aftercare_domain::complaint::deadline(&rules.calendar, today, rules.days(rule)).date;
            form.body.insert("due_on".to_owned(), json!(due.to_string()));
            Move::Reopen(due)
        }
        kind => Move::Plain(kind),
    })
}

/// Somebody who may investigate.
fn investigator(connection: &Connection, id: Option<Uuid>, errors: &mut FieldErrors) -> Result<Uuid> {
    let Some(id) = id else {
        errors.add("investigator_id", ErrorCode::Required);
        return Ok(Uuid::nil());
    };
    let members = staff::all(connection)?;
    let fits = members.iter().any(|member| {
        member.id == id && member.active && people::investigates(&permissions_of(&member.roles))
    });
    if !fits {
        errors.add("investigator_id", ErrorCode::NotAllowed);
    }
    Ok(id)
}
