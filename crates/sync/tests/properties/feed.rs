//! The desk's side of the feed, over a small replica.

use std::collections::BTreeMap;
use std::convert::Infallible;

use aftercare_domain::hlc::Hlc;
use aftercare_domain::op::{ChangeKind, FieldValue, OP_PROTOCOL, Op};
use aftercare_domain::task::{TaskCommand, TaskState, TaskStatus, judge};
use aftercare_sync::desk::{Replica, encode, take_kept, take_op};
use aftercare_sync::entities::Entity;
use aftercare_sync::fold::Clock;
use aftercare_sync::judge::{Ruling, rule};
use aftercare_sync::record::{Key, Record};
use aftercare_sync::wire::{EpochStart, FedOp, Verdict};
use aftercare_sync::{HOSPITAL, Scope};
use proptest::prelude::*;
use serde_bytes::ByteBuf;
use uuid::Uuid;

type Values = BTreeMap<String, FieldValue>;

/// What a desk knows, and nothing of its own.
#[derive(Debug, Clone, Default, PartialEq)]
struct Reader {
    rows: BTreeMap<Uuid, (Values, BTreeMap<String, Clock>)>,
    kept: BTreeMap<i64, FedOp>,
}

impl Replica for Reader {
    type Error = Infallible;

    fn own_hash(&mut self, _: i64) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(None)
    }
    fn own_bytes(&mut self, _: i64) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(None)
    }
    fn own_op(&mut self, _: i64) -> Result<Option<Op>, Infallible> {
        Ok(None)
    }
    fn exists(&mut self, _: &'static Entity, id: Uuid) -> Result<bool, Infallible> {
        Ok(self.rows.contains_key(&id))
    }
    fn clock(&mut self, id: Uuid, field: &str) -> Result<Option<Clock>, Infallible> {
        Ok(self.rows.get(&id).and_then(|(_, clocks)| clocks.get(field).copied()))
    }
    fn create(&mut self, _: &'static Entity, id: Uuid, values: &Values, _: &Clock) -> Result<(), Infallible> {
        self.rows.insert(id, (values.clone(), BTreeMap::new()));
        Ok(())
    }
    fn set(
        &mut self,
        _: &'static Entity,
        id: Uuid,
        fields: &[(String, FieldValue, Option<Clock>)],
    ) -> Result<(), Infallible> {
        let (values, clocks) = self.rows.get_mut(&id).unwrap();
        for (field, value, clock) in fields {
            values.insert(field.clone(), value.clone());
            match clock {
                Some(clock) => clocks.insert(field.clone(), *clock),
                None => clocks.remove(field),
            };
        }
        Ok(())
    }
    fn restamp(&mut self, _: Uuid, _: &[String], _: &Clock) -> Result<(), Infallible> {
        Ok(())
    }
    fn remove(&mut self, _: &'static Entity, id: Uuid) -> Result<(), Infallible> {
        self.rows.remove(&id);
        Ok(())
    }
    fn remove_root(&mut self, root: Uuid, _: bool) -> Result<(), Infallible> {
        self.rows.remove(&root);
        Ok(())
    }
    fn forget(&mut self, _: &[Uuid]) -> Result<(), Infallible> {
        Ok(())
    }
    fn settle(&mut self, _: &Verdict) -> Result<(), Infallible> {
        Ok(())
    }
    fn keep_received(&mut self, _: i64, _: &FedOp) -> Result<(), Infallible> {
        Ok(())
    }
    fn keep_own(&mut self, _: i64, _: &FedOp) -> Result<(), Infallible> {
        Ok(())
    }
    fn keep_unknown(&mut self, seq: i64, op: &FedOp) -> Result<(), Infallible> {
        self.kept.insert(seq, op.clone());
        Ok(())
    }
    fn set_cursor(&mut self, _: Scope, _: i64) -> Result<(), Infallible> {
        Ok(())
    }
    fn see_clock(&mut self, _: Hlc) -> Result<(), Infallible> {
        Ok(())
    }
    fn keys_in(
        &mut self,
        _: Scope,
        _: usize,
        _: Option<&Key>,
        _: Option<&Key>,
    ) -> Result<Vec<Key>, Infallible> {
        Ok(Vec::new())
    }
    fn made_unsent(&mut self, _: Uuid) -> Result<bool, Infallible> {
        Ok(false)
    }
    fn epochs(&mut self) -> Result<Vec<EpochStart>, Infallible> {
        Ok(Vec::new())
    }
    fn begin_epoch(&mut self, _: &[EpochStart], _: i64, _: i64) -> Result<(), Infallible> {
        Ok(())
    }
}

const PATIENT: Uuid = Uuid::from_u128(7);

fn op(number: u128, fields: Values) -> Op {
    let id = Uuid::from_u128(number);
    Op {
        protocol: OP_PROTOCOL,
        op_id: id,
        dseq: 1,
        device: Uuid::from_u128(1),
        user: Uuid::from_u128(2),
        hlc: Hlc::default(),
        kind: ChangeKind::Fields,
        entity: "patient".to_owned(),
        id: PATIENT,
        command: None,
        base: if id == PATIENT {
            BTreeMap::new()
        } else {
            fields.keys().map(|f| (f.clone(), PATIENT)).collect()
        },
        fields,
    }
}

fn fed(op: &Op, at: i64) -> FedOp {
    FedOp {
        bytes: encode(op),
        effective: Hlc::from_i64(at),
        without: Vec::new(),
        amended: BTreeMap::new(),
        stored: false,
        seal: ByteBuf::new(),
    }
}

fn made(more: &[(&str, FieldValue)]) -> FedOp {
    let mut fields: Values = BTreeMap::from([("name".to_owned(), "an old name".into())]);
    fields.extend(more.iter().map(|(field, value)| ((*field).to_owned(), value.clone())));
    fed(&op(7, fields), 1)
}

fn read(feed: &[(i64, FedOp)]) -> Reader {
    let mut reader = Reader::default();
    take_op(&mut reader, 1, &made(&[])).unwrap();
    feed.iter().for_each(|(seq, fed)| take_op(&mut reader, *seq, fed).unwrap());
    reader
}

/// Edits of one patient, with clocks that collide and fields of every kind of order.
fn edits() -> impl Strategy<Value = Vec<(i64, FedOp)>> {
    let field = prop::sample::select(vec!["name", "remark", "id_number", "contact_optout", "deceased"]);
    let said = prop::collection::btree_map(field, 0i64..5, 1..4);
    prop::collection::vec((said, 1i64..6), 1..12).prop_map(|all| {
        all.into_iter()
            .enumerate()
            .map(|(n, (said, at))| {
                let fields =
                    said.into_iter().map(|(field, value)| (field.to_owned(), value.into())).collect();
                (n as i64 + 2, fed(&op(100 + n as u128, fields), at))
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn any_order_and_any_repetition_of_the_feed_gives_the_same_state(
        (feed, shuffled) in edits().prop_flat_map(|feed| {
            let twice = [feed.clone(), feed.clone()].concat();
            (Just(feed), Just(twice).prop_shuffle())
        })
    ) {
        prop_assert_eq!(read(&feed), read(&shuffled));
    }

    #[test]
    fn a_feed_that_is_split_and_read_again_from_an_older_place_gives_the_same_state(
        feed in edits(), cut in 0usize..12, back in 0usize..12
    ) {
        let cut = cut.min(feed.len());
        let again = [&feed[..cut], &feed[cut.saturating_sub(back)..]].concat();
        prop_assert_eq!(read(&feed), read(&again));
    }

    #[test]
    fn the_task_judge_of_the_server_is_the_desks(
        status in 0usize..7, holder in 0u128..3, until in 0i64..100, command in 0usize..8, by in 0u128..3, at in 0i64..100
    ) {
        use TaskStatus::*;
        let status = [Waiting, Open, Done, Failed, Expired, Cancelled, Skipped][status];
        let by = Uuid::from_u128(by);
        let commands = [
            TaskCommand::Open, TaskCommand::Skip, TaskCommand::Claim { by, until: at + 50 },
            TaskCommand::Release { by }, TaskCommand::Complete { by }, TaskCommand::Fail,
            TaskCommand::Expire, TaskCommand::Cancel,
        ];
        let command = &commands[command];
        let claim = (holder > 0).then_some((Uuid::from_u128(holder), until));
        let mut values: Values = BTreeMap::from([("status".to_owned(), status.as_str().into())]);
        if let Some((holder, until)) = claim {
            values.insert("claimed_by".to_owned(), holder.into());
            values.insert("claimed_until".to_owned(), until.into());
        }
        let clock = Clock { op: PATIENT, effective: Hlc::default(), seq: 1 };
        let record = Record::new(Key::new("task", PATIENT), Uuid::nil(), HOSPITAL, clock, &values);
        let asked = Op {
            user: by,
            hlc: Hlc::from_i64(at << 16),
            kind: ChangeKind::Command,
            command: Some(command.name().to_owned()),
            fields: BTreeMap::from([("claimed_until".to_owned(), (at + 50).into())]),
            ..op(9, BTreeMap::new())
        };
        match (judge(&TaskState { status, claim }, command, at), rule(&record, &asked, at, None)) {
            (Ok(after), Ruling::Yes(fields)) => {
                let (by, until) = after.claim.unzip();
                prop_assert_eq!(&fields["status"], &FieldValue::from(after.status.as_str()));
                prop_assert_eq!(&fields["claimed_by"], &FieldValue::from(by));
                prop_assert_eq!(&fields["claimed_until"], &FieldValue::from(until));
            }
            (Err(_), Ruling::No(_)) => {}
            (desk, server) => prop_assert!(false, "{desk:?} here, {server:?} there"),
        }
    }
}

#[test]
fn what_an_older_program_does_not_know_is_kept_as_it_came_and_the_rest_is_applied() {
    let newer = fed(
        &op(
            20,
            BTreeMap::from([("name".to_owned(), "a new name".into()), ("shoe_size".to_owned(), 42.into())]),
        ),
        5,
    );
    let stranger = fed(&Op { entity: "wearable".to_owned(), ..op(21, BTreeMap::new()) }, 6);
    let reader = read(&[(2, newer.clone()), (3, stranger.clone())]);
    assert_eq!(reader.rows[&PATIENT].0["name"], "a new name".into());
    assert!(!reader.rows[&PATIENT].0.contains_key("shoe_size"));
    assert_eq!(reader.kept, BTreeMap::from([(2, newer), (3, stranger)]));
}

#[test]
fn a_command_that_the_server_only_stored_is_carried_out_nowhere() {
    let fields = BTreeMap::from([("remark".to_owned(), "by a robot".into())]);
    let stored = FedOp { stored: true, ..fed(&op(20, fields), 5) };
    let mut reader = read(&[(2, stored.clone())]);
    assert!(!reader.rows[&PATIENT].0.contains_key("remark"));
    assert!(!take_kept(&mut reader, 2, &stored).unwrap(), "it waits until the server feeds it again");
}

/// After an upgrade, what the older program left out of a new record is applied; what somebody has
/// changed since stays.
#[test]
fn after_the_upgrade_kept_fields_of_a_new_record_are_applied() {
    // The older program knew neither `remark` nor `best_hour`.
    let made = made(&[("remark", "likes tea".into()), ("best_hour", 9.into())]);
    let mut reader = Reader::default();
    reader
        .rows
        .insert(PATIENT, (BTreeMap::from([("name".to_owned(), "an old name".into())]), BTreeMap::new()));
    let edit = fed(&op(30, BTreeMap::from([("best_hour".to_owned(), 15.into())])), 9);
    for (seq, kept) in [(1, &made), (2, &edit), (1, &made)] {
        assert!(take_kept(&mut reader, seq, kept).unwrap());
    }
    assert_eq!(reader.rows[&PATIENT].0["remark"], "likes tea".into());
    assert_eq!(reader.rows[&PATIENT].0["best_hour"], 15.into());
}

#[test]
fn a_record_whose_patient_has_left_is_not_made() {
    let note = Op {
        entity: "note".to_owned(),
        kind: ChangeKind::Fact,
        id: Uuid::from_u128(40),
        fields: BTreeMap::from([("patient_id".to_owned(), Uuid::from_u128(99).into())]),
        ..op(40, BTreeMap::new())
    };
    assert!(!read(&[(2, fed(&note, 3))]).rows.contains_key(&note.id));
}
