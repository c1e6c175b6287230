//! A hospital's years, written into its server as the desk that brought them would have: patients with phone, stay,
//! plan and task.

use std::collections::BTreeMap;

use aftercare_bench::hospital::{Discharge, Hospital};
use aftercare_domain::hlc::Hlc;
use aftercare_domain::op::{ChangeKind, FieldValue, OP_PROTOCOL, Op, chain_hash};
use aftercare_server::store::{Answered, Limits};
use aftercare_sync::desk::encode;
use aftercare_sync::wire::{Outcome, PROTOCOL, Request};
use chrono::{Days, NaiveDate, Utc};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_bytes::ByteBuf;
use uuid::Uuid;

use crate::central::Prepared;

/// Who signs in at every desk.
pub const LOGIN: &str = "bench";
/// Records of one patient: patient, phone, stay, plan, task.
pub const RECORDS: usize = 5;
/// Ops of one transaction of the server.
const TOGETHER: usize = 5000;
/// Discharges of so many days up to today.
const DAYS: i64 = 3 * 365;
/// The day of the task after the discharge.
const DUE: u64 = 30;

/// Writes ops of one desk, one after the other.
pub struct Writer {
    /// The desk.
    pub device: Uuid,
    /// Who sits at it.
    pub user: Uuid,
    /// Number of the last op.
    pub dseq: i64,
    random: StdRng,
}

/// Fields by name.
pub type Fields<'a> = &'a [(&'a str, FieldValue)];

impl Writer {
    /// Begins a desk's ops. The same seed gives the same ids.
    pub fn new(device: Uuid, user: Uuid, seed: u64) -> Self {
        Self { device, user, dseq: 0, random: StdRng::seed_from_u64(seed) }
    }

    /// A new id of this time (UUIDv7).
    pub fn id(&mut self, millis: i64) -> Uuid {
        let millis = u64::try_from(millis).unwrap();
        uuid::Builder::from_unix_timestamp_millis(millis, &self.random.random()).into_uuid()
    }

    /// Makes a record.
    pub fn make(&mut self, entity: &str, id: Uuid, millis: i64, fields: Fields<'_>) -> ByteBuf {
        self.write(ChangeKind::Fields, entity, (id, id), millis, fields)
    }

    /// Writes a fact.
    pub fn state(&mut self, entity: &str, id: Uuid, millis: i64, fields: Fields<'_>) -> ByteBuf {
        self.write(ChangeKind::Fact, entity, (id, id), millis, fields)
    }

    /// Changes a record.
    pub fn change(&mut self, entity: &str, id: Uuid, millis: i64, fields: Fields<'_>) -> ByteBuf {
        let op_id = self.id(millis);
        self.write(ChangeKind::Fields, entity, (id, op_id), millis, fields)
    }

    fn write(
        &mut self,
        kind: ChangeKind,
        entity: &str,
        (id, op_id): (Uuid, Uuid),
        millis: i64,
        fields: Fields<'_>,
    ) -> ByteBuf {
        self.dseq += 1;
        encode(&Op {
            protocol: OP_PROTOCOL,
            op_id,
            dseq: self.dseq,
            device: self.device,
            user: self.user,
            hlc: Hlc::from_i64(millis << 16),
            kind,
            entity: entity.to_owned(),
            id,
            command: None,
            fields: fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            base: BTreeMap::new(),
        })
    }
}

/// Writes a site each, and the one person who works everywhere. Answers who that is.
pub fn found(server: &Prepared, sites: &[Uuid]) -> Uuid {
    let now = Utc::now().timestamp_millis();
    let device = Uuid::now_v7();
    server.enrol(device, &[], i64::MAX);
    let mut writer = Writer::new(device, Uuid::nil(), 1);
    let user = writer.id(now);
    writer.user = user;
    let person: Fields<'_> = &[
        ("login", LOGIN.into()),
        ("display_name", LOGIN.into()),
        ("roles", r#"["administrator","supervisor","followup"]"#.into()),
    ];
    let mut ops = vec![writer.make("staff", user, now, person)];
    for (number, site) in sites.iter().enumerate() {
        ops.push(writer.make("site", *site, now, &[("name", format!("{number}号院区").into())]));
    }
    Push::new(device).send(server, ops);
    server.admit(user);
    user
}

/// Writes `patients` patients of `site`.
pub fn fill(server: &Prepared, site: Uuid, user: Uuid, patients: usize) {
    let device = Uuid::now_v7();
    server.enrol(device, &[site], i64::MAX);
    let mut writer = Writer::new(device, user, 2);
    let mut push = Push::new(device);
    let today = Utc::now().date_naive();
    let mut all: Vec<Discharge> = Hospital::new(5, today, DAYS).take(patients).collect();
    // As they came to the hospital.
    all.sort_by_key(|discharge| discharge.discharged_at);
    let mut ops = Vec::with_capacity(TOGETHER + RECORDS);
    for discharge in &all {
        write_patient(&mut writer, &mut ops, discharge, site, today);
        if ops.len() >= TOGETHER {
            push.send(server, std::mem::take(&mut ops));
        }
    }
    push.send(server, ops);
}

fn write_patient(
    writer: &mut Writer,
    ops: &mut Vec<ByteBuf>,
    discharge: &Discharge,
    site: Uuid,
    today: NaiveDate,
) {
    let at = discharge.discharged_at.and_utc().timestamp_millis();
    let [patient, phone, stay, plan, task] = std::array::from_fn(|_| writer.id(at));
    let minute = |at: chrono::NaiveDateTime| at.format("%Y-%m-%d %H:%M").to_string();
    let on = discharge.discharged_at.date();
    let due = on + Days::new(DUE);
    let days = (discharge.discharged_at - discharge.admitted_at).num_days();
    let finished = due + Days::new(14) < today;
    ops.push(writer.make(
        "patient",
        patient,
        at,
        &[
            ("mrn", discharge.mrn.clone().into()),
            ("name", discharge.name.clone().into()),
            ("sex", if discharge.sex == "男" { "1" } else { "2" }.into()),
            ("birth_on", discharge.birth_on.to_string().into()),
            ("id_type", "01".into()),
            ("id_number", discharge.id_number.clone().into()),
            ("address", discharge.address.clone().into()),
            ("site_id", site.into()),
        ],
    ));
    let number: Fields<'_> = &[
        ("patient_id", patient.into()),
        ("number", discharge.phone.clone().into()),
        ("source", "his".into()),
    ];
    ops.push(writer.make("phone", phone, at, number));
    ops.push(writer.make(
        "encounter",
        stay,
        at,
        &[
            ("patient_id", patient.into()),
            ("visit_no", discharge.visit_no.clone().into()),
            ("department", discharge.department.into()),
            ("admitted_at", minute(discharge.admitted_at).into()),
            ("discharged_at", minute(discharge.discharged_at).into()),
            ("discharged_on", on.to_string().into()),
            ("length_of_stay_days", days.into()),
            ("diagnosis_code", discharge.diagnosis_code.into()),
            ("diagnosis", discharge.diagnosis.into()),
            ("doctor", discharge.doctor.clone().into()),
            ("disposition", "1".into()),
        ],
    ));
    ops.push(writer.make(
        "enrolment",
        plan,
        at,
        &[
            ("patient_id", patient.into()),
            ("encounter_id", stay.into()),
            ("plan_code", "HTN".into()),
            ("plan_version", 1.into()),
            ("anchor_on", on.to_string().into()),
            ("why", "diagnosis".into()),
            ("risk", (days % 80).into()),
            ("state", if finished { "finished" } else { "active" }.into()),
            ("started_at", at.into()),
        ],
    ));
    ops.push(writer.make(
        "task",
        task,
        at,
        &[
            ("patient_id", patient.into()),
            ("enrolment_id", plan.into()),
            ("encounter_id", stay.into()),
            ("kind", "plan".into()),
            ("timepoint", "D30".into()),
            ("label", "D30".into()),
            ("anchor_on", on.to_string().into()),
            ("plan_code", "HTN".into()),
            ("plan_version", 1.into()),
            ("form", "full".into()),
            ("channel", "phone".into()),
            ("owner", "center".into()),
            ("due_on", due.to_string().into()),
            ("window_starts_on", (due - Days::new(3)).to_string().into()),
            ("window_ends_on", (due + Days::new(3)).to_string().into()),
            ("risk", (days % 80).into()),
            ("status", if finished { "done" } else { "open" }.into()),
        ],
    ));
}

/// Hands ops to the server's store.
pub struct Push {
    device: Uuid,
    sent: i64,
    chain: Vec<u8>,
}

impl Push {
    /// Begins with a desk's first op.
    pub fn new(device: Uuid) -> Self {
        Self { device, sent: 0, chain: Vec::new() }
    }

    /// Sends ops in one transaction; all must be accepted.
    pub fn send(&mut self, server: &Prepared, ops: Vec<ByteBuf>) {
        if ops.is_empty() {
            return;
        }
        let chain = std::mem::take(&mut self.chain);
        self.chain = ops.iter().fold(chain.clone(), |hash, op| chain_hash(&hash, op).to_vec());
        let first = self.sent + 1;
        self.sent += i64::try_from(ops.len()).unwrap();
        server.wait(async {
            let store = &server.app.store;
            let request = Request {
                protocol: PROTOCOL,
                epoch: store.position(server.tenant).await.unwrap().epoch,
                device: self.device,
                acknowledged: self.sent - 1,
                first,
                chain: ByteBuf::from(chain),
                ops,
                cursors: BTreeMap::new(),
                offers: Vec::new(),
                wants_digest: false,
                entities: aftercare_sync::entities::fingerprint(),
            };
            let limits = Limits { entries: 1, bytes: 1 << 20 };
            match store.sync(server.tenant, request, server.app.now(), limits).await.unwrap() {
                Answered::Answer(answer) => {
                    let last = answer.verdicts.last().unwrap();
                    assert_eq!((last.dseq, &last.outcome), (self.sent, &Outcome::Accepted));
                }
                Answered::Refused(refusal) => panic!("{refusal}"),
            }
        });
    }
}
