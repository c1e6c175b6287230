//! Moves of a complaint. Beyond what the domain's judge says: a move must stand on the last step that the server knows,
//! or the chain of steps would lose one; and it sets only what is its business.

use std::collections::BTreeMap;

use aftercare_domain::complaint::{
    Accused, Actor, ComplaintKind, ComplaintState, ComplaintStatus, Move, MoveKind, judge, trusted,
};
use aftercare_domain::op::{FieldValue, Op};
use chrono::NaiveDate;
use uuid::Uuid;

use super::{Author, Ruling};
use crate::record::Record;

/// Hospitals in China keep China Standard Time everywhere.
const HOSPITAL_OFFSET_MILLIS: i64 = 8 * 3600 * 1000;

/// What every move sets.
const COMMON: &[&str] = &["last_step", "steps", "edited_at", "status", "ended_at"];

/// What a correction may set.
const AMENDED: &[&str] = &[
    "kind",
    "channel",
    "anonymous",
    "complainant",
    "complainant_relation",
    "complainant_phone",
    "complainant_id",
    "authorisation",
    "patient_id",
    "patient_name",
    "patient_sex",
    "patient_age",
    "patient_mrn",
    "patient_visit_no",
    "visit_department",
    "visited_on",
    "doctor",
    "happened_at",
    "happened_where",
    "departments",
    "accused",
    "category",
    "subcategory",
    "confidential",
    "summary",
    "demand",
    "evidence",
    "confirmation",
    "severity",
    "harm",
    "risks",
    "deadline_rule",
    "due_on",
    "respond_by",
];

fn own(kind: MoveKind) -> &'static [&'static str] {
    match kind {
        MoveKind::Settle => &["reply", "replied_at", "reply_way", "resolutions", "verdict", "end_reason"],
        MoveKind::Accept => &["accepted_at"],
        MoveKind::Investigate => &["investigator_id"],
        MoveKind::Propose => &["finding", "verdict", "resolutions", "measures", "reply"],
        MoveKind::Reply => &["reply", "reply_way", "replied_at"],
        MoveKind::Rate => &["attitude"],
        MoveKind::Refuse | MoveKind::PassOn | MoveKind::Close => &["end_reason", "pause_reason"],
        MoveKind::Withdraw => &["end_reason", "pause_reason"],
        MoveKind::Reopen => &["end_reason", "attitude", "replied_at", "reply_way"],
        MoveKind::AskExtension => &["wanted_until", "wanted_by"],
        MoveKind::Pause | MoveKind::Resume => &["pause_reason"],
        MoveKind::Amend => AMENDED,
        MoveKind::Approve | MoveKind::SendBack => &[],
        MoveKind::GrantExtension | MoveKind::RefuseExtension => &[],
    }
}

/// What the judge itself decides: where the op says otherwise, these hold.
const JUDGED: &[&str] =
    &["status", "due_on", "paused_on", "wanted_until", "wanted_by", "investigator_id", "reopened"];

pub(super) fn rule(record: &Record, op: &Op, at: i64, author: Option<Author>) -> Ruling {
    let Some(state) = state(record) else { return Ruling::Unknown };
    let Some(kind) = op.command.as_deref().and_then(MoveKind::parse) else { return Ruling::Unknown };
    let sets = |field: &str| COMMON.contains(&field) || JUDGED.contains(&field) || own(kind).contains(&field);
    if op.fields.keys().any(|field| !sets(field)) {
        return Ruling::No("fields");
    }
    if op.base.get("last_step") != Some(&record.holder("last_step")) {
        return Ruling::No("stale");
    }
    let Some(wanted) = wanted(kind, &state, op) else { return Ruling::No("fields") };
    let local = chrono::DateTime::from_timestamp_millis(at.saturating_add(HOSPITAL_OFFSET_MILLIS));
    let today = local.unwrap_or_default().date_naive();
    let actor = match &author {
        Some(author) => {
            Actor { id: op.user, permissions: &author.permissions, department: &author.department }
        }
        None => Actor { id: op.user, permissions: trusted(), department: "" },
    };
    match judge(&state, &wanted, &actor, today) {
        Ok(after) => Ruling::Yes(decided(&after)),
        Err(why) => Ruling::No(why.code()),
    }
}

fn decided(after: &ComplaintState) -> BTreeMap<String, FieldValue> {
    let date = |date: Option<NaiveDate>| FieldValue::from(date.map(|date| date.to_string()));
    let values: [FieldValue; 7] = [
        after.status.as_str().into(),
        date(after.due_on),
        date(after.paused_on),
        date(after.wanted.map(|(until, _)| until)),
        after.wanted.map(|(_, by)| by).into(),
        after.investigator.into(),
        after.reopened.into(),
    ];
    JUDGED.iter().map(|name| (*name).to_owned()).zip(values).collect()
}

fn state(record: &Record) -> Option<ComplaintState> {
    let of = |field: &str| record.value(field);
    Some(ComplaintState {
        kind: ComplaintKind::parse(record.text("kind")?)?,
        status: ComplaintStatus::parse(record.text("status")?)?,
        confidential: record.integer("confidential") == Some(1),
        departments: departments(of("departments")),
        accused: accused(of("accused")),
        registered_by: record.id("registered_by")?,
        investigator: record.id("investigator_id"),
        due_on: date(of("due_on")),
        paused_on: date(of("paused_on")),
        wanted: date(of("wanted_until")).zip(record.id("wanted_by")),
        reopened: record.integer("reopened") == Some(1),
    })
}

fn wanted(kind: MoveKind, before: &ComplaintState, op: &Op) -> Option<Move> {
    let said = |field: &str| op.fields.get(field);
    let due = || said("due_on").map_or(before.due_on, date);
    Some(match kind {
        MoveKind::Investigate => Move::Investigate(match said("investigator_id") {
            Some(FieldValue::Bytes(bytes)) => Uuid::from_slice(bytes).ok()?,
            _ => before.investigator?,
        }),
        MoveKind::AskExtension => Move::AskExtension(said("wanted_until").and_then(date)?),
        MoveKind::Resume => Move::Resume(due()?),
        MoveKind::Reopen => Move::Reopen(due()?),
        MoveKind::Amend => Move::Amend {
            kind: match said("kind") {
                Some(FieldValue::Text(word)) => ComplaintKind::parse(word)?,
                _ => before.kind,
            },
            confidential: said("confidential")
                .map_or(before.confidential, |value| *value == FieldValue::Integer(1)),
            departments: said("departments").map_or_else(|| before.departments.clone(), departments),
            accused: said("accused").map_or_else(|| before.accused.clone(), accused),
            due_on: due(),
        },
        kind => Move::Plain(kind),
    })
}

fn date(value: &FieldValue) -> Option<NaiveDate> {
    match value {
        FieldValue::Text(text) => text.parse().ok(),
        _ => None,
    }
}

fn departments(value: &FieldValue) -> Vec<String> {
    match value {
        FieldValue::Text(json) => serde_json::from_str(json).unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn accused(value: &FieldValue) -> Vec<Uuid> {
    let people: Vec<Accused> = match value {
        FieldValue::Text(json) => serde_json::from_str(json).unwrap_or_default(),
        _ => Vec::new(),
    };
    people.into_iter().filter_map(|person| person.staff_id).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use aftercare_domain::access::Permission;
    use aftercare_domain::hlc::Hlc;
    use aftercare_domain::op::{ChangeKind, OP_PROTOCOL};

    use super::*;
    use crate::HOSPITAL;
    use crate::fold::Clock;
    use crate::record::Key;

    const ID: Uuid = Uuid::from_u128(7);
    const BOB: Uuid = Uuid::from_u128(1);
    /// Monday 2026-11-16, 09:30 in China.
    const NOW: i64 = 1_794_792_600_000;

    fn record() -> Record {
        let fields: BTreeMap<String, FieldValue> = [
            ("kind", "complaint".into()),
            ("status", "registered".into()),
            ("registered_by", BOB.into()),
            ("first_receiver", "bob".into()),
            ("departments", "[\"心内科\"]".into()),
            ("due_on", "2026-11-23".into()),
            ("last_step", Uuid::from_u128(70).into()),
        ]
        .map(|(name, value): (&str, FieldValue)| (name.to_owned(), value))
        .into();
        let made = Clock { op: ID, effective: Hlc::default(), seq: 1 };
        Record::new(Key::new("complaint", ID), Uuid::nil(), HOSPITAL, made, &fields)
    }

    fn op(name: &str, fields: &[(&str, FieldValue)]) -> Op {
        Op {
            protocol: OP_PROTOCOL,
            op_id: Uuid::from_u128(8),
            dseq: 2,
            device: Uuid::from_u128(9),
            user: BOB,
            hlc: Hlc::default(),
            kind: ChangeKind::Command,
            entity: "complaint".to_owned(),
            id: ID,
            command: Some(name.to_owned()),
            fields: fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            base: BTreeMap::from([("last_step".to_owned(), ID)]),
        }
    }

    fn office() -> Option<Author> {
        Some(Author { permissions: vec![Permission::ComplaintWork], department: String::new() })
    }

    #[test]
    fn a_move_sets_what_is_its_business_and_nothing_else() {
        let status = |word: &str| ("status", FieldValue::from(word));
        let verdict =
            |name: &str, fields: &[(&str, FieldValue)]| rule(&record(), &op(name, fields), NOW, office());
        assert!(matches!(verdict("settle", &[status("closed")]), Ruling::Yes(_)));
        let receiver = [status("closed"), ("first_receiver", "carol".into())];
        assert_eq!(verdict("settle", &receiver), Ruling::No("fields"), "kept unchangeably");
        assert_eq!(verdict("amend", &[("number", "1".into())]), Ruling::No("fields"));
        assert_eq!(verdict("accept", &[status("accepted")]), Ruling::No("who"));
        let Ruling::Yes(decided) = verdict("settle", &[status("rated")]) else { unreachable!() };
        assert_eq!(decided["status"], "closed".into(), "the judge's word stands");
    }

    #[test]
    fn a_move_stands_on_the_last_step() {
        let mut moved = record();
        let clock = Clock { op: Uuid::from_u128(99), effective: Hlc::default(), seq: 5 };
        moved.set("last_step", &Uuid::from_u128(71).into(), clock);
        let late = op("settle", &[("status", "closed".into())]);
        assert_eq!(rule(&moved, &late, NOW, office()), Ruling::No("stale"));
    }

    #[test]
    fn an_older_history_is_not_asked_for_rights_but_for_its_order() {
        let accepted = op("accept", &[("status", "accepted".into())]);
        assert!(matches!(rule(&record(), &accepted, NOW, None), Ruling::Yes(_)));
        assert_eq!(rule(&record(), &op("reply", &[]), NOW, None), Ruling::No("state"));
    }
}
