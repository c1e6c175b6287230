//! Messages: round trips, versions, digests, lines of epochs.

use std::collections::BTreeMap;

use aftercare_domain::hlc::Hlc;
use aftercare_sync::Scope;
use aftercare_sync::desk::common_head;
use aftercare_sync::digest::ScopeDigest;
use aftercare_sync::pack::{pack, unpack};
use aftercare_sync::wire::{
    Answer, Entry, EpochStart, Event, FedOp, Outcome, PROTOCOL, Page, Refusal, Repair, Request, Undurable,
    Verdict, check_protocol,
};
use proptest::prelude::*;
use serde_bytes::ByteBuf;
use uuid::Uuid;

fn request(ops: Vec<Vec<u8>>) -> Request {
    Request {
        protocol: PROTOCOL,
        epoch: 3,
        device: Uuid::from_u128(5),
        acknowledged: 4,
        first: 5,
        chain: ByteBuf::from(vec![9; 32]),
        ops: ops.into_iter().map(ByteBuf::from).collect(),
        cursors: BTreeMap::from([(Uuid::nil(), 17)]),
        offers: Vec::new(),
        wants_digest: true,
        entities: aftercare_sync::entities::fingerprint(),
    }
}

proptest! {
    #[test]
    fn a_packed_message_is_read_back(ops in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..50)) {
        let message = request(ops);
        prop_assert_eq!(unpack::<Request>(&pack(&message).unwrap()).unwrap(), message);
    }

    #[test]
    fn what_was_added_to_a_digest_is_taken_out_again(
        records in prop::collection::vec((any::<u128>(), any::<u128>()), 1..60), out in 0usize..60
    ) {
        let mut all = ScopeDigest::default();
        records.iter().for_each(|(id, content)| all.add(Uuid::from_u128(*id), *content));
        let (id, content) = records[out % records.len()];
        let mut rest = all.clone();
        rest.take(Uuid::from_u128(id), content);
        prop_assert!(content == 0 || rest != all);
        prop_assert_eq!(all.differing(&rest).len(), usize::from(content != 0));
        rest.add(Uuid::from_u128(id), content);
        prop_assert_eq!(rest, all);
    }

    #[test]
    fn only_this_protocol_and_the_one_before_are_served(protocol: u8) {
        let served = protocol == PROTOCOL || (PROTOCOL > 1 && protocol == PROTOCOL - 1);
        match check_protocol(protocol) {
            Ok(()) => prop_assert!(served),
            Err(refusal) => {
                prop_assert!(!served);
                let is_upgrade = matches!(refusal, Refusal::Upgrade { newest: PROTOCOL, .. });
                prop_assert!(is_upgrade);
            }
        }
    }
}

#[test]
fn an_unknown_field_of_a_newer_message_is_passed_over() {
    #[derive(serde::Serialize)]
    struct Newer {
        #[serde(flatten)]
        known: Request,
        moon_phase: &'static str,
    }
    let known = request(Vec::new());
    let packed = pack(&Newer { known: known.clone(), moon_phase: "full" }).unwrap();
    assert_eq!(unpack::<Request>(&packed).unwrap(), known);
}

#[test]
fn lines_of_epochs_are_compared_from_where_they_part() {
    let line = |starts: &[(i64, i64)]| -> Vec<EpochStart> {
        starts.iter().map(|(epoch, head)| EpochStart { epoch: *epoch, head: *head }).collect()
    };
    let server = line(&[(1, 0), (5, 100), (9, 80)]);
    assert_eq!(common_head(&line(&[(1, 0)]), &server), 80);
    assert_eq!(common_head(&line(&[(1, 0), (5, 100)]), &server), 80);
    assert_eq!(common_head(&server, &server), i64::MAX);
    // The desk went through a restore that a later restore of an older copy forgot.
    assert_eq!(common_head(&line(&[(1, 0), (7, 60)]), &server), 60);
    assert_eq!(common_head(&line(&[(3, 0)]), &server), 0);
    assert_eq!(common_head(&[], &server), 0);
}

/// What the first program said, before anything was added.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
struct FirstRequest {
    protocol: u8,
    epoch: i64,
    device: Uuid,
    acknowledged: i64,
    first: i64,
    chain: ByteBuf,
    ops: Vec<ByteBuf>,
    cursors: BTreeMap<Scope, i64>,
}

#[derive(Debug, serde::Deserialize)]
struct FirstAnswer {
    epoch: i64,
    last_dseq: i64,
    verdicts: Vec<FirstVerdict>,
    pages: Vec<FirstPage>,
    head: i64,
}

#[derive(Debug, serde::Deserialize)]
struct FirstVerdict {
    dseq: i64,
    outcome: Outcome,
}

#[derive(Debug, serde::Deserialize)]
struct FirstPage {
    up_to: i64,
    entries: Vec<FirstEntry>,
}

#[derive(Debug, serde::Deserialize)]
struct FirstEntry {
    event: FirstEvent,
}

#[derive(Debug, PartialEq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum FirstEvent {
    Op { bytes: ByteBuf },
    Arrive { root: Uuid },
    Erase { root: Uuid },
}

fn newest_answer() -> Answer {
    let fed = FedOp {
        bytes: ByteBuf::from(vec![1, 2]),
        effective: Hlc::from_i64(5),
        without: vec!["name".to_owned()],
        amended: BTreeMap::from([("status".to_owned(), "done".into())]),
        stored: true,
        seal: ByteBuf::from(vec![3]),
    };
    let root = Uuid::from_u128(7);
    let ops = vec![Undurable { seq: 8, fed: fed.clone() }];
    let events = [
        Event::Op(fed),
        Event::Arrive { root, records: Vec::new(), ops },
        Event::Erase { root, records: vec![root] },
    ];
    let entries = events.into_iter().zip(10..).map(|(event, seq)| Entry { seq, event }).collect();
    let verdict = Verdict {
        dseq: 4,
        seq: 9,
        effective: Hlc::from_i64(5),
        outcome: Outcome::Refused("claimed".to_owned()),
        repair: Some(Repair::Absent),
        seal: Some(ByteBuf::from(vec![3])),
    };
    Answer {
        protocol: PROTOCOL,
        epoch: 2,
        server_millis: 1,
        last_dseq: 4,
        verdicts: vec![verdict],
        pages: vec![Page { scope: Uuid::nil(), after: 0, up_to: 12, entries, more: false }],
        offered: vec![Outcome::Accepted],
        head: 12,
        durable_seq: 3,
        digests: BTreeMap::from([(Uuid::nil(), ScopeDigest::default())]),
    }
}

#[test]
fn a_desk_of_the_first_program_is_served() {
    let full = request(vec![vec![1]]);
    let first = FirstRequest {
        protocol: full.protocol,
        epoch: full.epoch,
        device: full.device,
        acknowledged: full.acknowledged,
        first: full.first,
        chain: full.chain.clone(),
        ops: full.ops.clone(),
        cursors: full.cursors.clone(),
    };
    let read = unpack::<Request>(&pack(&first).unwrap()).unwrap();
    assert_eq!(read, Request { wants_digest: false, entities: 0, ..full.clone() });
    // And its own successor's word is one that it would have understood.
    assert_eq!(unpack::<FirstRequest>(&pack(&full).unwrap()).unwrap(), first);
}

#[test]
fn a_desk_of_the_first_program_understands_the_newest_answer() {
    let answer = newest_answer();
    let packed = pack(&answer).unwrap();
    assert_eq!(unpack::<Answer>(&packed).unwrap(), answer);
    let first = unpack::<FirstAnswer>(&packed).unwrap();
    assert_eq!((first.epoch, first.last_dseq, first.head), (2, 4, 12));
    assert_eq!(first.verdicts[0].dseq, 4);
    assert_eq!(first.verdicts[0].outcome, Outcome::Refused("claimed".to_owned()));
    let events: Vec<FirstEvent> = first
        .pages
        .into_iter()
        .flat_map(|page| {
            assert_eq!(page.up_to, 12);
            page.entries.into_iter().map(|entry| entry.event)
        })
        .collect();
    let root = Uuid::from_u128(7);
    let bytes = ByteBuf::from(vec![1, 2]);
    assert_eq!(events, [FirstEvent::Op { bytes }, FirstEvent::Arrive { root }, FirstEvent::Erase { root }]);
}
