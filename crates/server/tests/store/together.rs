//! Pushes that wait for one hospital's lock are taken in together. Each gets its own answer.

use aftercare_domain::op::ChangeKind::{Fact, Fields};
use aftercare_server::store::{Answered, DeviceStatus, Limits, StoreError};
use aftercare_sync::wire::{Outcome, Refusal, reason};
use uuid::Uuid;

use crate::desk::{Desk, accepted, id, make_hospital};
use crate::places::Place;
use crate::postgres::OWNER;

const TENANT: Uuid = Uuid::from_u128(0x7e);
const DESKS: u128 = 60;

/// A record that the database itself refuses, in whatever company it comes.
const POISON: Uuid = Uuid::from_u128(0xbad);

fn refuse_poison() -> String {
    format!(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN IF NEW.record_id = ''{POISON}'' THEN RAISE EXCEPTION ''no''; END IF; RETURN NEW; END';
         CREATE TRIGGER refuse BEFORE INSERT ON op FOR EACH ROW EXECUTE FUNCTION refuse();"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_desks_push_at_once_and_one_failure_is_one_desks() {
    let place = Place::postgres().await;
    let Place::Postgres { cluster, database } = &place else { unreachable!() };
    cluster.connect(OWNER, database).await.batch_execute(&refuse_poison()).await.unwrap();
    let store = place.open().await;
    make_hospital(&*store, TENANT, "renmin").await;
    let patient = id(0x9a);
    let mut first = Desk::enrol(&*store, TENANT, id(0xd00), &[], i64::MAX).await;
    first.write((Fields, "patient"), patient, &[("name", "王".into())], &[]);
    first.sync(&*store).await.unwrap();

    let mut desks = Vec::new();
    for number in 1..=DESKS {
        let mut desk = Desk::enrol(&*store, TENANT, id(0xd00 + number), &[], i64::MAX).await;
        for n in 0..5 {
            let record = if number == 7 && n == 2 { POISON } else { id((0x9b << 64) + number * 100 + n) };
            desk.write((Fact, "note"), record, &[("patient_id", patient.into())], &[]);
        }
        desks.push(desk);
    }
    // Of number 20 the server has another past, number 21 was shut out, 22 repeats what 23 says.
    desks[19].hashes[0] = vec![1; 32];
    store.set_device_status(TENANT, desks[20].device, DeviceStatus::Revoked, 0).await.unwrap();
    let same = desks[22].ops[0].0.id;
    desks[21].write((Fact, "note"), same, &[("patient_id", patient.into())], &[]);

    let tasks: Vec<_> = desks
        .iter()
        .map(|desk| {
            let (store, request, now) = (std::sync::Arc::clone(&store), desk.request(), desk.now);
            tokio::spawn(async move { store.sync(TENANT, request, now, Limits::default()).await })
        })
        .collect();
    let mut twice = 0;
    for (number, task) in (1..).zip(tasks) {
        match (number, task.await.unwrap()) {
            (7, answer) => assert!(matches!(answer, Err(StoreError::Database(_)))),
            (20, Ok(Answered::Refused(refusal))) => assert!(matches!(refusal, Refusal::Position { .. })),
            (21, answer) => assert_eq!(answer, Err(StoreError::Revoked { wipe: false })),
            (22 | 23, Ok(Answered::Answer(answer))) => {
                let outcomes = answer.verdicts.iter().map(|verdict| &verdict.outcome);
                twice += outcomes.filter(|outcome| **outcome == Outcome::Duplicate).count();
            }
            (number, Ok(Answered::Answer(answer))) => {
                assert_eq!((answer.last_dseq, answer.verdicts.len()), (5, 5), "desk {number}");
                assert!(accepted(&answer));
                // Dense: what came together is still numbered one behind the other.
                let seqs: Vec<i64> = answer.verdicts.iter().map(|verdict| verdict.seq).collect();
                assert!(seqs.windows(2).all(|two| two[1] == two[0] + 1), "{seqs:?}");
            }
            (number, other) => panic!("desk {number}: {other:?}"),
        }
    }
    assert_eq!(twice, 1, "the same change from two desks counts once");

    // Who reads afterwards finds every op once, and the digest of what a bare reader adds up.
    let mut reader = Desk::enrol(&*store, TENANT, id(0x4ead), &[], 0).await;
    reader.sync(&*store).await.unwrap();
    let heard = reader.heard_ops();
    assert_eq!(heard.len() as u128, 1 + (DESKS - 3) * 5);
    assert_eq!(store.usage(TENANT).await.unwrap().records as usize, heard.len());
    println!("{DESKS} desks at once: {} ops, 3 desks refused alone", heard.len());
}

#[tokio::test]
async fn an_op_that_no_database_can_name_uses_up_its_number_and_blocks_nobody() {
    for place in [Place::sqlite(), Place::postgres().await] {
        let store = place.open().await;
        make_hospital(&*store, TENANT, "renmin").await;
        let mut desk = Desk::enrol(&*store, TENANT, id(0xd1), &[], 0).await;
        desk.write((Fields, "pat\0ient"), id(0x9a), &[("name", "王".into())], &[]);
        desk.write((Fact, "note"), id(0x9b), &[("patient_id", id(0x9a).into())], &[]);
        let answer = desk.sync(&*store).await.unwrap();
        assert_eq!((answer.last_dseq, answer.verdicts.len()), (2, 2));
        assert_eq!(answer.verdicts[0].outcome, Outcome::Stored);
        assert_eq!(answer.verdicts[1].outcome, Outcome::Quarantined(reason::AUTHOR.into()));
    }
}
