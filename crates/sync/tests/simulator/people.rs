//! What people do at their desks.

use std::collections::BTreeMap;

use aftercare_domain::op::{ChangeKind, FieldValue, OP_PROTOCOL, Op};
use aftercare_sync::desk::Replica;
use aftercare_sync::entities::{self, Entity};
use aftercare_sync::fold::Clock;
use aftercare_sync::judge::{Ruling, rule};
use aftercare_sync::record::{Key, Record};
use aftercare_sync::{HOSPITAL, Scope};
use rand::Rng;
use rand::rngs::StdRng;
use uuid::Uuid;

use crate::desk::{Desk, sure};

pub fn fields<const N: usize>(said: [(&str, FieldValue); N]) -> BTreeMap<String, FieldValue> {
    said.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub fn any_id(rng: &mut StdRng) -> Uuid {
    Uuid::from_u128(rng.random())
}

/// A site of the hospital, by number.
pub fn site(number: u128) -> Scope {
    Uuid::from_u128(0x5173_0000 + number)
}

const HOUR: i64 = 3_600_000;

/// Somebody at `desk` does something at `now`, the desk's own time.
pub fn act(desk: &mut Desk, rng: &mut StdRng, now: i64) {
    let user = desk.users[rng.random_range(0..desk.users.len())];
    match rng.random_range(0..100) {
        0..12 => admit(desk, rng, user, now),
        12..30 => edit(desk, rng, user, now),
        30..38 => strict(desk, rng, user, now),
        38..44 => transfer(desk, rng, user, now),
        44..52 => note(desk, rng, user, now),
        52..80 => work(desk, rng, user, now),
        80..86 => setting(desk, rng, user, now),
        86..90 => alert(desk, rng, user, now),
        90..94 => staff(desk, rng, user, now),
        94..97 => newer(desk, rng, user, now),
        _ => phone(desk, rng, user, now),
    }
}

fn pick(desk: &Desk, rng: &mut StdRng, entity: &Entity) -> Option<Uuid> {
    let all: Vec<Uuid> = desk
        .store
        .rows
        .iter()
        .filter(|(_, row)| row.entity.table == entity.table)
        .map(|(id, _)| *id)
        .collect();
    // A few patients get most of the work, so that desks meet on them.
    let last = all.len().checked_sub(1)?;
    let place =
        if rng.random_bool(0.7) { rng.random_range(0..=last.min(2)) } else { rng.random_range(0..=last) };
    all.get(place).copied()
}

fn some_site(desk: &Desk, rng: &mut StdRng) -> FieldValue {
    let all: Vec<Scope> = desk.sites.iter().copied().collect();
    let chosen = all.get(rng.random_range(0..all.len().max(1)));
    if rng.random_bool(0.1) { FieldValue::Null } else { chosen.copied().into() }
}

fn admit(desk: &mut Desk, rng: &mut StdRng, user: Uuid, now: i64) {
    let patient = any_id(rng);
    let told = fields([
        ("name", format!("patient {}", rng.random_range(0..1000)).into()),
        ("id_number", rng.random_range(0i64..1000).to_string().into()),
        ("site_id", some_site(desk, rng)),
    ]);
    let told = told.into_iter().filter(|(_, value)| *value != FieldValue::Null).collect();
    desk.write(user, &entities::PATIENT, patient, patient, None, told, now);
    for _ in 0..rng.random_range(0..3) {
        let task = any_id(rng);
        let told = fields([
            ("patient_id", patient.into()),
            ("label", "call after discharge".into()),
            ("status", "open".into()),
        ]);
        desk.write(user, &entities::TASK, task, task, None, told, now);
    }
}

fn edit(desk: &mut Desk, rng: &mut StdRng, user: Uuid, now: i64) {
    let Some(id) = pick(desk, rng, &entities::PATIENT) else { return };
    let mut told = BTreeMap::new();
    for field in ["name", "id_number", "remark", "vip"] {
        if rng.random_bool(0.4) {
            told.insert(field.to_owned(), any_value(field, rng));
        }
    }
    if !told.is_empty() {
        desk.write(user, &entities::PATIENT, id, any_id(rng), None, told, now);
    }
}

fn any_value(field: &str, rng: &mut StdRng) -> FieldValue {
    match field {
        "vip" => rng.random_range(0i64..2).into(),
        _ if rng.random_bool(0.15) => FieldValue::Null,
        _ => format!("{field} {}", rng.random_range(0..50)).into(),
    }
}

fn strict(desk: &mut Desk, rng: &mut StdRng, user: Uuid, now: i64) {
    let Some(id) = pick(desk, rng, &entities::PATIENT) else { return };
    let told = if rng.random_bool(0.7) {
        fields([("contact_optout", ["none", "phone", "all"][rng.random_range(0..3)].into())])
    } else {
        fields([("deceased", rng.random_range(0i64..2).into()), ("remark", any_value("remark", rng))])
    };
    desk.write(user, &entities::PATIENT, id, any_id(rng), None, told, now);
}

fn transfer(desk: &mut Desk, rng: &mut StdRng, user: Uuid, now: i64) {
    let Some(id) = pick(desk, rng, &entities::PATIENT) else { return };
    let to: FieldValue =
        if rng.random_bool(0.1) { FieldValue::Null } else { site(rng.random_range(0..3)).into() };
    desk.write(user, &entities::PATIENT, id, any_id(rng), None, fields([("site_id", to)]), now);
}

fn note(desk: &mut Desk, rng: &mut StdRng, user: Uuid, now: i64) {
    let Some(patient) = pick(desk, rng, &entities::PATIENT) else { return };
    let id = any_id(rng);
    let told =
        fields([("patient_id", patient.into()), ("body", "sleeps well".into()), ("noted_at", now.into())]);
    desk.write(user, &entities::NOTE, id, id, None, told, now);
}

fn phone(desk: &mut Desk, rng: &mut StdRng, user: Uuid, now: i64) {
    match pick(desk, rng, &entities::PHONE) {
        Some(id) if rng.random_bool(0.6) => {
            let told = fields([("number", rng.random_range(0i64..99).to_string().into())]);
            desk.write(user, &entities::PHONE, id, any_id(rng), None, told, now);
        }
        _ => {
            let Some(patient) = pick(desk, rng, &entities::PATIENT) else { return };
            let id = any_id(rng);
            let told = fields([("patient_id", patient.into()), ("number", "12".into())]);
            desk.write(user, &entities::PHONE, id, id, None, told, now);
        }
    }
}

/// Two desks make the setting of one name without knowing of each other.
fn setting(desk: &mut Desk, rng: &mut StdRng, user: Uuid, now: i64) {
    let number = rng.random_range(0..4u128);
    let id = Uuid::from_u128(0x5e77_0000 + number);
    let value = FieldValue::from(rng.random_range(0i64..9).to_string());
    let told = if desk.store.rows.contains_key(&id) {
        fields([("value", value)])
    } else {
        fields([("name", format!("setting {number}").into()), ("value", value)])
    };
    desk.write(user, &entities::SETTING, id, any_id(rng), None, told, now);
}

fn staff(desk: &mut Desk, rng: &mut StdRng, user: Uuid, now: i64) {
    let Some(id) = pick(desk, rng, &entities::USER).filter(|id| *id != desk.users[0]) else { return };
    let told = fields([("active", i64::from(rng.random_bool(0.7)).into())]);
    desk.write(user, &entities::USER, id, any_id(rng), None, told, now);
}

fn alert(desk: &mut Desk, rng: &mut StdRng, user: Uuid, now: i64) {
    match pick(desk, rng, &entities::ALERT) {
        Some(id) if rng.random_bool(0.7) => {
            let step = any_id(rng);
            let told = fields([("alert_id", id.into()), ("kind", "note".into()), ("at", now.into())]);
            desk.write(user, &entities::ALERT_STEP, step, step, None, told, now);
            let name = ["route", "answer", "close", "withdraw", "handle"][rng.random_range(0..5)];
            command(desk, rng, user, &entities::ALERT, id, name, BTreeMap::new(), now);
        }
        _ => {
            let Some(patient) = pick(desk, rng, &entities::PATIENT) else { return };
            let id = any_id(rng);
            let told = fields([
                ("patient_id", patient.into()),
                ("level", "orange".into()),
                ("status", "open".into()),
            ]);
            desk.write(user, &entities::ALERT, id, id, None, told, now);
        }
    }
}

fn work(desk: &mut Desk, rng: &mut StdRng, user: Uuid, now: i64) {
    let Some(id) = pick(desk, rng, &entities::TASK) else { return };
    let at = desk.store.hlc.tick(now).millis();
    match rng.random_range(0..10) {
        0..5 => {
            let until = at + rng.random_range(1..72) * HOUR;
            let more = fields([("claimed_until", until.into())]);
            command(desk, rng, user, &entities::TASK, id, "claim", more, now);
        }
        5 => command(desk, rng, user, &entities::TASK, id, "release", BTreeMap::new(), now),
        6 => command(desk, rng, user, &entities::TASK, id, "fail", BTreeMap::new(), now),
        7 => command(desk, rng, user, &entities::TASK, id, "reopen", BTreeMap::new(), now),
        _ => {
            let Some(patient) = desk.store.root_of(id) else { return };
            let call = any_id(rng);
            let told =
                fields([("patient_id", patient.into()), ("task_id", id.into()), ("called_at", now.into())]);
            desk.write(user, &entities::CALL, call, call, None, told, now);
            let more = fields([("ended_at", now.into()), ("attempts", rng.random_range(1i64..5).into())]);
            command(desk, rng, user, &entities::TASK, id, "complete", more, now);
        }
    }
}

/// Asks the judge as the desk does, and carries the command out when it says yes.
#[allow(clippy::too_many_arguments)]
fn command(
    desk: &mut Desk,
    rng: &mut StdRng,
    user: Uuid,
    entity: &'static Entity,
    id: Uuid,
    name: &str,
    more: BTreeMap<String, FieldValue>,
    now: i64,
) {
    let hlc = desk.store.hlc.tick(now);
    let Some(row) = desk.store.rows.get(&id) else { return };
    let made = Clock { op: id, effective: hlc, seq: 0 };
    let record = Record::new(Key::new(entity.table, id), Uuid::nil(), HOSPITAL, made, &row.values);
    let asked = Op {
        protocol: OP_PROTOCOL,
        op_id: any_id(rng),
        dseq: 0,
        device: desk.store.device,
        user,
        hlc,
        kind: ChangeKind::Command,
        entity: entity.table.to_owned(),
        id,
        command: Some(name.to_owned()),
        fields: more.clone(),
        base: BTreeMap::new(),
    };
    let Ruling::Yes(after) = rule(&record, &asked, hlc.millis(), None) else { return };
    let mut told = more;
    told.extend(after);
    if name == "handle" {
        told.insert("handled_at".to_owned(), now.into());
    }
    told.retain(|field, value| row.values.get(field).unwrap_or(&FieldValue::Null) != value);
    if !told.is_empty() {
        desk.write(user, entity, id, asked.op_id, Some(name), told, now);
    }
}

/// What a newer program writes: an entity, a field and a command that this one does not know.
fn newer(desk: &mut Desk, rng: &mut StdRng, user: Uuid, now: i64) {
    match rng.random_range(0..3) {
        0 => {
            let id = any_id(rng);
            desk.store.hlc = desk.store.hlc.tick(now);
            let told = fields([("pulse", 72i64.into())]);
            desk.append(user, ChangeKind::Fact, "wearable", id, id, None, told, BTreeMap::new());
        }
        1 => {
            let Some(id) = pick(desk, rng, &entities::PATIENT) else { return };
            let told = fields([("shoe_size", 42i64.into()), ("remark", any_value("remark", rng))]);
            desk.write(user, &entities::PATIENT, id, any_id(rng), None, told, now);
        }
        _ => {
            let Some(id) = pick(desk, rng, &entities::TASK) else { return };
            let told = fields([("status", "done".into()), ("remark", "by a robot".into())]);
            desk.write(user, &entities::TASK, id, any_id(rng), Some("hand_to_robot"), told, now);
        }
    }
}

/// The first desk brings people and the first patients along from its time alone.
pub fn found(desk: &mut Desk, rng: &mut StdRng, now: i64) {
    for (number, user) in desk.users.clone().into_iter().enumerate() {
        let told = fields([
            ("login", format!("user{number}").into()),
            ("display_name", format!("User {number}").into()),
            ("roles", r#"["administrator","nurse","archivist","supervisor","doctor"]"#.into()),
        ]);
        desk.write(desk.users[0], &entities::USER, user, user, None, told, now);
    }
    for _ in 0..3 {
        let user = desk.users[0];
        admit(desk, rng, user, now);
    }
    debug_assert!(desk.users.iter().all(|user| sure(desk.store.exists(&entities::USER, *user))));
}
