//! Two clinics of one hospital work, disagree, move a patient, lose answers and are restored.

use std::collections::{BTreeMap, BTreeSet};

use aftercare_domain::op::ChangeKind::{Fact, Fields};
use aftercare_domain::op::FieldValue;
use aftercare_server::store::{Answered, Limits, Store};
use aftercare_sync::canonical::content_hash;
use aftercare_sync::digest::{BUCKETS, ScopeDigest, bucket};
use aftercare_sync::record::{Key, Record};
use aftercare_sync::wire::{Event, Offer, Outcome, Refusal, Repair};
use aftercare_sync::{HOSPITAL, Scope};
use serde_bytes::ByteBuf;
use uuid::Uuid;

use crate::desk::{Desk, START, accepted, id, make_hospital, verdict};
use crate::places::Place;

const TENANT: Uuid = Uuid::from_u128(0x7e);
const EAST: Scope = Uuid::from_u128(0x51);
const WEST: Scope = Uuid::from_u128(0x52);
const NURSE: Uuid = Uuid::from_u128(0x0a);
const WANG: Uuid = Uuid::from_u128(0x100a);
const LI: Uuid = Uuid::from_u128(0x100b);
const PHONE: Uuid = Uuid::from_u128(0x2001);
const TASK: Uuid = Uuid::from_u128(0x3001);
const CALL: Uuid = Uuid::from_u128(0x4001);

#[tokio::test]
async fn two_clinics_on_sqlite() {
    tell(Place::sqlite()).await;
}

#[tokio::test]
async fn two_clinics_on_postgresql() {
    tell(Place::postgres().await).await;
}

async fn tell(place: Place) {
    let store = place.open().await;
    make_hospital(&*store, TENANT, "renmin").await;
    let mut alice = Desk::enrol(&*store, TENANT, id(0xa11ce), &[EAST], 9).await;
    let mut bob = Desk::enrol(&*store, TENANT, id(0xb0b), &[WEST], 0).await;
    bring_history(&*store, &mut alice).await;
    see_ones_own_site(&*store, &mut bob).await;
    disagree_about_a_phone(&*store, &mut alice).await;
    claim_once(&*store, &mut alice).await;
    lose_an_answer(&*store, &mut alice).await;
    copy_a_desk(&*store, &mut alice).await;
    write_without_permission(&*store, &mut alice, &mut bob).await;
    move_a_patient(&*store, &mut alice, &mut bob).await;
    page_through(&*store, &bob).await;
    read_in_small_pages(&*store, &bob).await;
    same_digests(&*store, &mut [&mut alice, &mut bob]).await;
    let place = set_back(place, store, &mut alice, &mut bob).await;
    let store = place.open().await;
    erase(&*store, &mut alice, &mut bob).await;
    same_digests(&*store, &mut [&mut alice, &mut bob]).await;
}

/// What alice wrote alone stands as it is, also where its author was nobody yet.
async fn bring_history(store: &dyn Store, alice: &mut Desk) {
    let text = |word: &str| FieldValue::from(word);
    alice.write((Fields, "site"), EAST, &[("name", text("东院"))], &[]);
    alice.write((Fields, "site"), WEST, &[("name", text("西院"))], &[]);
    let staff = [("login", text("nurse")), ("display_name", text("护士")), ("roles", text("[\"nurse\"]"))];
    alice.write((Fields, "staff"), NURSE, &staff, &[]);
    alice.write((Fields, "patient"), WANG, &[("name", text("王伟")), ("site_id", EAST.into())], &[]);
    alice.write((Fields, "patient"), LI, &[("name", text("李娜")), ("site_id", WEST.into())], &[]);
    alice.write(
        (Fields, "phone"),
        PHONE,
        &[("patient_id", WANG.into()), ("number", text("13800000000"))],
        &[],
    );
    let task = [("patient_id", WANG.into()), ("status", text("open")), ("kind", text("plan"))];
    alice.write((Fields, "task"), TASK, &task, &[]);
    let answer = alice.sync(store).await.unwrap();
    assert!(accepted(&answer), "{:?}", answer.verdicts);
    assert_eq!((answer.head, answer.last_dseq), (7, 7));
    // Her own ops come back to her, but not the patient of the other site.
    let heard: BTreeSet<Uuid> = alice.heard_ops().into_iter().map(|(op, _)| op).collect();
    assert_eq!(heard, BTreeSet::from([EAST, WEST, NURSE, WANG, PHONE, TASK]));
    // Again with nothing new: nothing is written, nothing comes.
    let heard = alice.heard.len();
    let again = alice.sync(store).await.unwrap();
    assert_eq!((again.head, alice.heard.len()), (7, heard));
}

async fn see_ones_own_site(store: &dyn Store, bob: &mut Desk) {
    bob.sync(store).await.unwrap();
    let heard: BTreeMap<Uuid, Scope> = bob.heard_ops().into_iter().collect();
    assert_eq!(heard.get(&LI), Some(&WEST));
    assert_eq!(heard.get(&NURSE), Some(&HOSPITAL));
    assert!(!heard.contains_key(&WANG) && !heard.contains_key(&PHONE) && !heard.contains_key(&TASK));
    let call =
        bob.write((Fact, "call"), CALL, &[("patient_id", LI.into()), ("outcome", "reached".into())], &[]);
    assert!(accepted(&bob.sync(store).await.unwrap()));
    assert!(bob.heard_op(call).is_some());
}

/// Two changes of one phone number, neither knowing of the other: the later one holds, people are asked.
async fn disagree_about_a_phone(store: &dyn Store, alice: &mut Desk) {
    let mut carol = Desk::enrol(store, TENANT, id(0xca401), &[EAST], 0).await;
    carol.now = alice.now + 60_000;
    carol.write((Fields, "phone"), PHONE, &[("number", "13900000000".into())], &[("number", PHONE)]);
    assert!(accepted(&carol.sync(store).await.unwrap()));
    alice.write((Fields, "phone"), PHONE, &[("number", "13700000000".into())], &[("number", PHONE)]);
    // The servers' clocks go on, so that nobody's time is capped.
    alice.now = carol.now;
    let answer = alice.sync(store).await.unwrap();
    let verdict = verdict(&answer, 8);
    assert_eq!(verdict.outcome, Outcome::Accepted);
    let Some(Repair::Record(record)) = &verdict.repair else { panic!("{verdict:?}") };
    assert_eq!(record.text("number"), Some("13900000000"));
    let conflicts = all_records(store).await.into_iter().filter(|record| record.key.entity == "conflict");
    let conflicts: Vec<Record> = conflicts.collect();
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0].text("kept"), Some("13900000000"));
    assert_eq!(conflicts[0].text("lost"), Some("13700000000"));
    assert_eq!((conflicts[0].root, conflicts[0].scope), (WANG, EAST));
}

/// One task, two claims: the server's order decides, and who lost is shown the record.
async fn claim_once(store: &dyn Store, alice: &mut Desk) {
    let mut dora = Desk::enrol(store, TENANT, id(0xd04a), &[EAST], 1).await;
    dora.now = alice.now;
    let dora_is = id(0x0b);
    let staff = [("login", "dora".into()), ("roles", "[\"nurse\"]".into())];
    dora.write((Fields, "staff"), dora_is, &staff, &[]);
    dora.user = dora_is;
    let until = alice.now + 4 * 3_600_000;
    let claim =
        |by: Uuid| [("status", "open".into()), ("claimed_by", by.into()), ("claimed_until", until.into())];
    alice.command("task", TASK, "claim", &claim(NURSE));
    assert!(accepted(&alice.sync(store).await.unwrap()));
    dora.command("task", TASK, "claim", &claim(dora_is));
    let answer = dora.sync(store).await.unwrap();
    let verdict = verdict(&answer, 2);
    assert_eq!(verdict.outcome, Outcome::Refused("claimed".into()));
    let Some(Repair::Record(record)) = &verdict.repair else { panic!("{verdict:?}") };
    assert_eq!(record.id("claimed_by"), Some(NURSE));
}

/// The server took the ops in, the answer got lost: sent again they count once, and every verdict comes.
async fn lose_an_answer(store: &dyn Store, alice: &mut Desk) {
    let note =
        alice.write((Fact, "note"), id(0x5001), &[("patient_id", WANG.into()), ("body", "好转".into())], &[]);
    let head = store.position(TENANT).await.unwrap().head;
    let lost = store.sync(TENANT, alice.request(), alice.now, Limits::default()).await.unwrap();
    assert!(matches!(lost, Answered::Answer(_)));
    alice.write((Fact, "note"), id(0x5002), &[("patient_id", WANG.into()), ("body", "出院".into())], &[]);
    let answer = alice.sync(store).await.unwrap();
    assert_eq!(answer.verdicts.len(), 2);
    assert!(accepted(&answer));
    assert_eq!(answer.head, head + 2);
    assert_eq!(alice.heard_ops().into_iter().filter(|(op, _)| *op == note).count(), 1);
    // With only what is newer the server does not know what to do, and says where it is.
    alice.write((Fact, "note"), id(0x5003), &[("patient_id", WANG.into()), ("body", "复诊".into())], &[]);
    let mut ahead = alice.request();
    ahead.first += 1;
    ahead.chain = ByteBuf::from(alice.hashes[ahead.first as usize - 1].clone());
    ahead.ops.remove(0);
    let answered = store.sync(TENANT, ahead, alice.now, Limits::default()).await.unwrap();
    let here = alice.acknowledged;
    let chain = ByteBuf::from(alice.hashes[here as usize].clone());
    assert_eq!(answered, Answered::Refused(Refusal::Position { last_dseq: here, chain }));
    assert!(accepted(&alice.sync(store).await.unwrap()));
}

/// A copy of alice's PC writes something else under the same number: it is refused with alice's hash.
async fn copy_a_desk(store: &dyn Store, alice: &mut Desk) {
    let mut copy = Desk::enrol(store, TENANT, id(0xc0b1), &[EAST], 0).await;
    copy.device = alice.device;
    copy.ops = alice.ops.clone();
    copy.hashes = alice.hashes.clone();
    copy.acknowledged = alice.acknowledged;
    copy.cursors = alice.cursors.clone();
    copy.now = alice.now;
    alice.write((Fact, "note"), id(0x5004), &[("patient_id", WANG.into()), ("body", "甲".into())], &[]);
    assert!(accepted(&alice.sync(store).await.unwrap()));
    let head = store.position(TENANT).await.unwrap().head;
    copy.write((Fact, "note"), id(0x5005), &[("patient_id", WANG.into()), ("body", "乙".into())], &[]);
    let refused = copy.sync(store).await.unwrap_err();
    let Refusal::Position { last_dseq, chain } = refused else { panic!("{refused:?}") };
    assert_eq!(last_dseq, alice.acknowledged);
    assert_eq!(chain, alice.hashes[last_dseq as usize]);
    assert_ne!(chain, copy.hashes[last_dseq as usize]);
    assert_eq!(store.position(TENANT).await.unwrap().head, head);
}

/// What its author may not do waits for an administrator: one op is let in, one refused.
async fn write_without_permission(store: &dyn Store, alice: &mut Desk, bob: &mut Desk) {
    bob.now = alice.now;
    let somebody = std::mem::replace(&mut bob.user, id(0xbad));
    let note = |body: &str| [("patient_id", LI.into()), ("body", body.into())];
    bob.write((Fact, "note"), id(0x6001), &note("一"), &[]);
    bob.write((Fact, "note"), id(0x6002), &note("二"), &[]);
    bob.user = somebody;
    // A patient whom bob's desk does not see.
    bob.write((Fact, "note"), id(0x6003), &[("patient_id", WANG.into()), ("body", "三".into())], &[]);
    let answer = bob.sync(store).await.unwrap();
    for dseq in [2, 3] {
        assert_eq!(verdict(&answer, dseq).outcome, Outcome::Quarantined("author".into()));
        assert_eq!(verdict(&answer, dseq).repair, Some(Repair::Absent));
    }
    assert_eq!(verdict(&answer, 4).outcome, Outcome::Quarantined("scope".into()));
    let waiting = store.quarantine(TENANT, 0, 10).await.unwrap();
    let records: Vec<Uuid> = waiting.iter().map(|op| op.record).collect();
    assert_eq!(records, [id(0x6001), id(0x6002), id(0x6003)]);
    assert_eq!((waiting[0].user, waiting[0].dseq, waiting[0].why.as_str()), (id(0xbad), 2, "author"));
    assert_eq!(waiting[0].fields, ["body", "patient_id"]);
    assert_eq!(store.release(TENANT, waiting[0].seq, bob.now).await, Ok(Outcome::Accepted));
    store.reject(TENANT, waiting[1].seq).await.unwrap();
    assert!(store.release(TENANT, waiting[1].seq, bob.now).await.is_err(), "refused for good");
    assert!(store.release(TENANT, waiting[0].seq, bob.now).await.is_err(), "counts already");
    let left = store.quarantine(TENANT, 0, 10).await.unwrap();
    assert_eq!(left.iter().map(|op| op.record).collect::<Vec<_>>(), [id(0x6003)]);
    bob.sync(store).await.unwrap();
    assert!(bob.heard_op(id(0x6001)).is_some() && bob.heard_op(id(0x6002)).is_none());
}

/// Wang moves west: bob gets everything of hers, alice lets go, and what bob writes stays west.
async fn move_a_patient(store: &dyn Store, alice: &mut Desk, bob: &mut Desk) {
    let before: BTreeSet<Key> = keys_of(store, WANG).await;
    alice.write((Fields, "patient"), WANG, &[("site_id", WEST.into())], &[("site_id", WANG)]);
    assert!(accepted(&alice.sync(store).await.unwrap()));
    bob.now = alice.now;
    bob.sync(store).await.unwrap();
    let arrived = bob.heard.iter().find_map(|(scope, entry)| match &entry.event {
        Event::Arrive { root, records, .. } if *root == WANG => Some((*scope, records.clone())),
        _ => None,
    });
    let (scope, records) = arrived.unwrap();
    assert_eq!(scope, WEST);
    assert_eq!(records[0].key, Key::new("patient", WANG));
    assert_eq!(records.iter().map(|record| record.key.clone()).collect::<BTreeSet<_>>(), before);
    let evicted = |(scope, entry): &(Scope, aftercare_sync::wire::Entry)| {
        *scope == EAST && entry.event == Event::Evict { root: WANG, to: WEST }
    };
    assert!(alice.heard.iter().any(evicted));
    let note =
        bob.write((Fact, "note"), id(0x5006), &[("patient_id", WANG.into()), ("body", "西".into())], &[]);
    assert!(accepted(&bob.sync(store).await.unwrap()));
    alice.sync(store).await.unwrap();
    assert!(bob.heard_op(note).is_some() && alice.heard_op(note).is_none());
    // A new desk in the east that begins at the beginning is not told of who has left.
    let mut erin = Desk::enrol(store, TENANT, id(0xe419), &[EAST], 0).await;
    erin.sync(store).await.unwrap();
    assert!(erin.heard_op(WANG).is_none() && erin.heard_op(PHONE).is_none());
}

/// Pages of a first sync hold each record once, and so do those of the buckets.
async fn page_through(store: &dyn Store, bob: &Desk) {
    let there: Vec<Record> =
        all_records(store).await.into_iter().filter(|record| record.scope == WEST).collect();
    for limit in [1, 3, 500] {
        let mut after = None;
        let mut read = Vec::new();
        loop {
            let page = store.snapshot(TENANT, bob.device, WEST, after, limit).await.unwrap();
            assert_eq!(page.total, there.len() as i64);
            assert_eq!(page.seq, store.position(TENANT).await.unwrap().head);
            read.extend(page.records().unwrap());
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(sorted(&read), sorted(&there));
    }
    let mut read = Vec::new();
    for number in 0..BUCKETS {
        let page = store.bucket_records(TENANT, bob.device, WEST, number, None, 500).await.unwrap();
        assert!(page.records.iter().all(|record| bucket(record.key.id) == number));
        read.extend(page.records);
    }
    assert_eq!(sorted(&read), sorted(&there));
    assert!(store.snapshot(TENANT, bob.device, EAST, None, 10).await.is_err());
    assert!(store.bucket_records(TENANT, bob.device, EAST, 0, None, 10).await.is_err());
}

/// However small the pages, the same is told in the same order, and every page goes on.
async fn read_in_small_pages(store: &dyn Store, bob: &Desk) {
    let mut tales = Vec::new();
    for limits in
        [Limits::default(), Limits { entries: 1, bytes: 1 << 20 }, Limits { entries: 500, bytes: 1 }]
    {
        let mut desk = Desk { cursors: BTreeMap::new(), heard: Vec::new(), ..bob.clone() };
        let mut reads = 0;
        loop {
            let answered = store.sync(TENANT, desk.request(), desk.now, limits).await.unwrap();
            let Answered::Answer(answer) = answered else { panic!("refused") };
            desk.take(&answer);
            reads += 1;
            assert!(answer.pages.iter().all(|page| page.entries.len() <= limits.entries));
            if answer.pages.iter().all(|page| !page.more) {
                break;
            }
        }
        let of = |scope: Scope| -> Vec<i64> {
            desk.heard.iter().filter(|(of, _)| *of == scope).map(|(_, entry)| entry.seq).collect()
        };
        tales.push((of(HOSPITAL), of(WEST)));
        assert_eq!(reads > 1, limits != Limits::default());
    }
    assert!(tales[0].1.len() > 3);
    assert_eq!(tales[1], tales[0]);
    assert_eq!(tales[2], tales[0]);
    // Verdicts that do not fit come the next time, and no page before the last of them.
    let mut forgetful = Desk { acknowledged: 0, cursors: BTreeMap::new(), heard: Vec::new(), ..bob.clone() };
    let limits = Limits { entries: 500, bytes: 1 };
    let mut verdicts = 0;
    while forgetful.acknowledged < bob.acknowledged {
        let mut request = forgetful.request();
        request.ops.clear();
        request.first = bob.acknowledged + 1;
        request.chain = ByteBuf::from(bob.hashes[bob.acknowledged as usize].clone());
        let Answered::Answer(answer) = store.sync(TENANT, request, bob.now, limits).await.unwrap() else {
            panic!("refused")
        };
        verdicts += answer.verdicts.len();
        forgetful.take(&answer);
        assert_eq!(answer.pages.is_empty(), forgetful.acknowledged < bob.acknowledged);
    }
    assert_eq!(verdicts as i64, bob.acknowledged);
}

/// The kept digests are those of the records.
async fn same_digests(store: &dyn Store, desks: &mut [&mut Desk]) {
    let mut counted: BTreeMap<Scope, ScopeDigest> = BTreeMap::new();
    let all = all_records(store).await;
    for record in &all {
        counted.entry(record.scope).or_default().add(record.key.id, content_hash(record));
    }
    for desk in desks {
        let answer = desk.sync(store).await.unwrap();
        assert!(answer.digests.len() >= 2);
        for (scope, digest) in &answer.digests {
            assert_eq!(digest, &counted.get(scope).cloned().unwrap_or_default(), "{scope}");
        }
    }
    assert_eq!(store.usage(TENANT).await.unwrap().records, all.len() as i64);
}

/// The server is set back to an older copy. What desks sent and received since is there again, once.
async fn set_back(place: Place, store: std::sync::Arc<dyn Store>, alice: &mut Desk, bob: &mut Desk) -> Place {
    alice.sync(&*store).await.unwrap();
    bob.sync(&*store).await.unwrap();
    let durable = store.position(TENANT).await.unwrap().head;
    store.set_durable_seq(TENANT, durable).await.unwrap();
    store.set_durable_seq(TENANT, durable - 1).await.unwrap();
    assert_eq!(store.position(TENANT).await.unwrap().durable_seq, durable);
    drop(store);
    place.back_up().await;
    let store = place.open().await;
    // After the copy: alice writes for the whole hospital, bob in the west; both hear what is theirs.
    let acknowledged = (alice.acknowledged, bob.acknowledged);
    let staff = id(0x0d);
    alice.user = NURSE;
    let fact = alice.write(
        (Fact, "note"),
        id(0x7001),
        &[("patient_id", id(0x100c).into()), ("body", "无".into())],
        &[],
    );
    let refused = alice.sync(&*store).await.unwrap();
    assert_eq!(refused.verdicts[0].outcome, Outcome::Rejected("parent_missing".into()));
    let kept =
        bob.write((Fact, "note"), id(0x7002), &[("patient_id", WANG.into()), ("body", "后".into())], &[]);
    assert!(accepted(&bob.sync(&*store).await.unwrap()));
    let mut frank = Desk::enrol(&*store, TENANT, id(0xf4a), &[WEST], 1).await;
    frank.now = bob.now;
    frank.write((Fields, "staff"), staff, &[("login", "frank".into())], &[]);
    assert!(accepted(&frank.sync(&*store).await.unwrap()));
    bob.sync(&*store).await.unwrap();
    let heard = bob.heard_op(staff).unwrap().clone();
    drop(store);

    let place = place.restore();
    let store = place.open().await;
    let epoch = store.begin_epoch(TENANT, START / 1000).await.unwrap();
    assert!(epoch > START / 1000);
    let refused = bob.sync(&*store).await.unwrap_err();
    let Refusal::Epoch { epoch: told, head, lineage, last_dseq, chain } = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((told, head, last_dseq), (epoch, durable, acknowledged.1));
    assert_eq!(
        lineage.iter().map(|start| (start.epoch, start.head)).collect::<Vec<_>>(),
        [(1, 0), (epoch, durable)]
    );
    assert_eq!(chain, bob.hashes[last_dseq as usize]);
    for (desk, acknowledged) in [(&mut *alice, acknowledged.0), (&mut *bob, acknowledged.1)] {
        desk.epoch = epoch;
        desk.acknowledged = acknowledged;
        desk.cursors.values_mut().for_each(|cursor| *cursor = (*cursor).min(durable));
    }
    // Frank's PC is gone, but bob received what it wrote: with the server's seal it is believed.
    let offer = Offer { bytes: heard.bytes.clone(), effective: heard.effective, seal: heard.seal.clone() };
    let forged = Offer { seal: ByteBuf::from(vec![1; 32]), ..offer.clone() };
    let later = Offer { effective: aftercare_domain::hlc::Hlc::from_i64(i64::MAX), ..offer.clone() };
    bob.offers = vec![forged, offer.clone(), later, offer];
    let answered = store.sync(TENANT, bob.request(), bob.now, Limits::default()).await.unwrap();
    let Answered::Answer(answer) = answered else { panic!() };
    let unreadable = Outcome::Rejected("unreadable".into());
    assert_eq!(answer.offered, [unreadable.clone(), Outcome::Accepted, unreadable, Outcome::Duplicate]);
    assert!(accepted(&answer));
    bob.take(&answer);
    bob.sync(&*store).await.unwrap();
    alice.sync(&*store).await.unwrap();
    let all = all_records(&*store).await;
    for record in [kept, staff] {
        assert_eq!(all.iter().filter(|there| there.key.id == record).count(), 1);
    }
    assert!(all.iter().all(|there| there.key.id != fact));
    assert!(alice.heard_op(staff).is_some(), "everybody hears again what was offered");
    place
}

/// Two persons erase Wang: payloads are gone, numbers and hashes stay, every desk is told, nothing comes back.
async fn erase(store: &dyn Store, alice: &mut Desk, bob: &mut Desk) {
    let (sam, tina) = (id(0x5a), id(0x71));
    assert!(store.confirm_erasure(TENANT, WANG, tina, bob.now).await.is_err(), "nobody asked");
    assert!(store.ask_erasure(TENANT, id(0x100f), sam, bob.now).await.is_err(), "there is no such patient");
    store.ask_erasure(TENANT, WANG, sam, bob.now).await.unwrap();
    assert_eq!(store.open_erasures(TENANT, bob.now).await.unwrap().len(), 1);
    store.withdraw_erasure(TENANT, WANG).await.unwrap();
    assert_eq!(store.open_erasures(TENANT, bob.now).await.unwrap().len(), 0);
    store.ask_erasure(TENANT, WANG, sam, bob.now).await.unwrap();
    assert!(store.confirm_erasure(TENANT, WANG, sam, bob.now).await.is_err(), "the same person");
    let late = bob.now + aftercare_server::store::ERASURE_MILLIS;
    assert!(store.confirm_erasure(TENANT, WANG, tina, late).await.is_err(), "too late");
    let records = keys_of(store, WANG).await.len() as i64;
    let erased = store.confirm_erasure(TENANT, WANG, tina, bob.now).await.unwrap();
    assert_eq!(erased.records, records);
    assert!(erased.ops >= 10, "{erased:?}");
    assert!(keys_of(store, WANG).await.is_empty());
    // The op in quarantine that named her is empty now too.
    assert!(store.quarantine(TENANT, 0, 10).await.unwrap().is_empty());
    for desk in [&mut *alice, &mut *bob] {
        desk.heard.clear();
        desk.sync(store).await.unwrap();
        let told = desk.heard.iter().find_map(|(_, entry)| match &entry.event {
            Event::Erase { root, records } if *root == WANG => Some(records.clone()),
            _ => None,
        });
        assert!(told.is_some_and(|records| records.contains(&PHONE)), "what went with her is named");
    }
    // A desk that was away still has something of hers.
    bob.write((Fact, "note"), id(0x7003), &[("patient_id", WANG.into()), ("body", "迟".into())], &[]);
    bob.write((Fields, "patient"), WANG, &[("name", "王伟".into()), ("site_id", WEST.into())], &[]);
    let answer = bob.sync(store).await.unwrap();
    let outcomes: Vec<&Outcome> = answer.verdicts.iter().map(|verdict| &verdict.outcome).collect();
    let erased = Outcome::Rejected("erased".into());
    assert_eq!(outcomes, [&erased, &erased]);
    assert!(answer.verdicts.iter().all(|verdict| verdict.repair == Some(Repair::Absent)));
    assert!(keys_of(store, WANG).await.is_empty());
    // A new desk hears nothing of her from the beginning on.
    let mut greta = Desk::enrol(store, TENANT, id(0x94e), &[EAST, WEST], 0).await;
    greta.epoch = bob.epoch;
    greta.sync(store).await.unwrap();
    assert!(greta.heard_op(WANG).is_none() && greta.heard_op(PHONE).is_none());
    let said = |(_, entry): &(Scope, aftercare_sync::wire::Entry)| match &entry.event {
        Event::Op(fed) => fed.bytes.windows(16).any(|window| window == WANG.as_bytes()),
        Event::Arrive { records, .. } => !records.is_empty(),
        _ => false,
    };
    assert!(!greta.heard.iter().any(said));
}

async fn all_records(store: &dyn Store) -> Vec<Record> {
    let mut all: Vec<Record> = Vec::new();
    loop {
        let after = all.last().map(|record| record.key.clone());
        let page = store.export(TENANT, after, 4).await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

async fn keys_of(store: &dyn Store, patient: Uuid) -> BTreeSet<Key> {
    all_records(store).await.into_iter().filter(|record| record.root == patient).map(|r| r.key).collect()
}

fn sorted(records: &[Record]) -> Vec<Key> {
    let mut keys: Vec<Key> = records.iter().map(|record| record.key.clone()).collect();
    keys.sort();
    keys
}
