//! What an administrator does: hospitals, codes, desks, people, attachments, the trail.

use std::collections::BTreeSet;

use aftercare_domain::op::ChangeKind::Fields;
use aftercare_server::store::{
    Answered, AuditLine, BlobId, BlobPart, CODE_MILLIS, CodeUse, DeviceStatus, LOCK_MILLIS, NewCode,
    NewDevice, NewTenant, Quota, SERVER, ServerUser, Store, StoreError, first_broken,
};
use aftercare_sync::door::{BlobState, MAX_PART};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::desk::{Desk, START, accepted, id, make_hospital};
use crate::places::Place;

const TENANT: Uuid = Uuid::from_u128(0x7e);
const EAST: Uuid = Uuid::from_u128(0x51);
const WEST: Uuid = Uuid::from_u128(0x52);
const WANG: Uuid = Uuid::from_u128(0x9a);

#[tokio::test]
async fn an_office_on_sqlite() {
    tell(&*Place::sqlite().open().await).await;
}

#[tokio::test]
async fn an_office_on_postgresql() {
    let place = Place::postgres().await;
    tell(&*place.open().await).await;
}

async fn tell(store: &dyn Store) {
    store.ready().await.unwrap();
    make_hospital(store, TENANT, "renmin").await;
    name_hospitals(store).await;
    use_codes(store).await;
    let mut alice = Desk::enrol(store, TENANT, id(0xa11ce), &[EAST], 9).await;
    alice.write((Fields, "patient"), WANG, &[("name", "王".into()), ("site_id", EAST.into())], &[]);
    assert!(accepted(&alice.sync(store).await.unwrap()));
    know_people(store).await;
    attach(store, &alice).await;
    keep_a_trail(store).await;
    shut_out(store, &mut alice).await;
    leave(store).await;
}

async fn name_hospitals(store: &dyn Store) {
    let new = |id: Uuid, word: &str| NewTenant {
        id,
        word: word.into(),
        name: "二院".into(),
        quota: Quota { devices: Some(3), bytes: Some(1) },
        seal_key: [8; 32],
        made_at: START,
    };
    assert_eq!(store.make_tenant(new(id(2), "renmin")).await, Err(StoreError::Exists));
    assert_eq!(store.make_tenant(new(TENANT, "other")).await, Err(StoreError::Exists));
    assert_eq!(store.make_tenant(new(SERVER, "other")).await, Err(StoreError::Exists));
    store.make_tenant(new(id(2), "er")).await.unwrap();
    let all = store.tenants().await.unwrap();
    assert_eq!(all.iter().map(|tenant| tenant.word.as_str()).collect::<Vec<_>>(), ["er", "renmin"]);
    assert_eq!(all[0].quota, Quota { devices: Some(3), bytes: Some(1) });
    let mut desk = Desk::enrol(store, id(2), id(0xe4), &[], 1).await;
    desk.write((Fields, "site"), id(3), &[("name", "本部".into())], &[]);
    let sent = store.sync(id(2), desk.request(), START, Default::default()).await;
    assert_eq!(sent, Err(StoreError::Quota { what: "bytes" }));
    store.set_quota(id(2), Quota { devices: Some(1), bytes: None }).await.unwrap();
    assert!(accepted(&desk.sync(store).await.unwrap()));
    assert!(store.usage(id(2)).await.unwrap().bytes > 1);
    let full = Desk::try_enrol(store, id(2), id(0xe5), &[], 0).await;
    assert_eq!(full, Err(StoreError::Quota { what: "devices" }));
    store.set_device_status(id(2), desk.device, DeviceStatus::Revoked, START).await.unwrap();
    Desk::try_enrol(store, id(2), id(0xe6), &[], 0).await.unwrap();
}

/// A code is good once, for ten minutes, for five tries, and for what it allows.
async fn use_codes(store: &dyn Store) {
    let code = |number: &str, sites: &[Uuid], history: bool| NewCode {
        number: number.into(),
        secret_hash: [5; 32],
        made_by: id(1),
        made_at: START,
        sites: sites.iter().copied().collect(),
        history,
    };
    let device = |device: u128, sites: &[Uuid], history_to: i64| NewDevice {
        id: id(device),
        name: "南".into(),
        public_key: vec![device as u8; 32],
        sites: sites.iter().copied().collect(),
        history_to,
    };
    let with = |number: &str, secret: u8| CodeUse { number: number.into(), secret_hash: [secret; 32] };
    let enrol = async |number: &str, secret: u8, new: NewDevice, now: i64| {
        store.enrol(TENANT, with(number, secret), new, now).await
    };
    let invalid = Err(StoreError::CodeInvalid);
    store.make_code(TENANT, code("AAA", &[EAST], false)).await.unwrap();
    assert_eq!(store.make_code(TENANT, code("AAA", &[], true)).await, Err(StoreError::Exists));
    assert_eq!(store.tenant_of_code("AAA", START).await, Ok(Some(TENANT)));
    assert_eq!(store.tenant_of_code("BBB", START).await, Ok(None));
    assert_eq!(store.tenant_of_code("AAA", START + CODE_MILLIS).await, Ok(None));
    assert_eq!(enrol("BBB", 5, device(1, &[], 0), START).await, invalid);
    assert_eq!(enrol("AAA", 6, device(1, &[], 0), START).await, invalid);
    assert_eq!(enrol("AAA", 5, device(1, &[], 0), START + CODE_MILLIS).await, invalid);
    assert_eq!(enrol("AAA", 5, device(1, &[WEST], 0), START).await, Err(StoreError::SiteNotAllowed));
    assert_eq!(enrol("AAA", 5, device(1, &[EAST], 7), START).await, Err(StoreError::CodeWithoutHistory));
    let made = enrol("AAA", 5, device(1, &[], 0), START).await.unwrap();
    assert_eq!((made.sites.clone(), made.history_to, made.last_dseq), (BTreeSet::from([EAST]), 0, 0));
    assert_eq!(enrol("AAA", 5, device(1, &[], 0), START + 1).await, Ok(made), "the answer was lost");
    assert_eq!(enrol("AAA", 5, device(2, &[], 0), START).await, invalid, "used");
    store.make_code(TENANT, code("CCC", &[], true)).await.unwrap();
    assert_eq!(enrol("CCC", 5, device(1, &[], 0), START).await, Err(StoreError::Exists));
    for _ in 0..5 {
        assert_eq!(enrol("CCC", 6, device(3, &[], 0), START).await, invalid);
    }
    assert_eq!(enrol("CCC", 5, device(3, &[], 0), START).await, invalid, "tried too often");
    // Its time is over: the number may be used again.
    let later = NewCode { made_at: START + CODE_MILLIS, ..code("CCC", &[], true) };
    store.make_code(TENANT, later).await.unwrap();
    let made = enrol("CCC", 5, device(3, &[WEST], 7), START + CODE_MILLIS + 1).await.unwrap();
    assert_eq!((made.sites, made.history_to), (BTreeSet::from([WEST]), 7));
    store.set_sites(TENANT, id(3), BTreeSet::from([EAST, WEST])).await.unwrap();
    assert_eq!(store.device(TENANT, id(3)).await.unwrap().sites, BTreeSet::from([EAST, WEST]));
    store.note_contact(TENANT, id(3), START + 5).await.unwrap();
    store.note_contact(TENANT, id(3), START + 6).await.unwrap();
    assert_eq!(store.device(TENANT, id(3)).await.unwrap().last_contact_at, Some(START + 5));
    store.note_contact(TENANT, id(3), START + 60_005).await.unwrap();
    assert_eq!(store.device(TENANT, id(3)).await.unwrap().last_contact_at, Some(START + 60_005));
    assert_eq!(store.device(TENANT, id(3)).await.unwrap().unsent, 0);
    store.note_unsent(TENANT, id(3), 1_500).await.unwrap();
    assert_eq!(store.device(TENANT, id(3)).await.unwrap().unsent, 1_500);
}

async fn know_people(store: &dyn Store) {
    let sam = ServerUser {
        id: id(0x5a),
        login: "sam".into(),
        name: "山姆".into(),
        password_hash: "$argon2id$1".into(),
        roles: vec!["administrator".into(), "supervisor".into()],
        sites: BTreeSet::from([EAST]),
        active: true,
        locked_until: None,
        changed_at: START,
        trusted_from: START,
        set_by: None,
    };
    for tenant in [TENANT, SERVER] {
        store.put_user(tenant, sam.clone()).await.unwrap();
        assert_eq!(store.user_by_login(tenant, "sam").await, Ok(sam.clone()));
        assert_eq!(store.users(tenant).await, Ok(vec![sam.clone()]));
    }
    assert_eq!(store.user_by_login(TENANT, "SAM").await, Err(StoreError::NotFound));
    let twin = ServerUser { id: id(0x5b), ..sam.clone() };
    assert_eq!(store.put_user(TENANT, twin).await, Err(StoreError::Exists));
    for _ in 0..4 {
        assert_eq!(store.note_login(TENANT, sam.id, false, START).await, Ok(None));
    }
    assert_eq!(store.note_login(TENANT, sam.id, true, START).await, Ok(None));
    for _ in 0..4 {
        assert_eq!(store.note_login(TENANT, sam.id, false, START).await, Ok(None));
    }
    let until = Some(START + LOCK_MILLIS);
    assert_eq!(store.note_login(TENANT, sam.id, false, START).await, Ok(until));
    assert_eq!(store.user_by_login(TENANT, "sam").await.unwrap().locked_until, until);
    store.put_user(TENANT, ServerUser { password_hash: "$argon2id$2".into(), ..sam }).await.unwrap();
    let sam = store.user_by_login(TENANT, "sam").await.unwrap();
    assert_eq!((sam.locked_until, sam.password_hash.as_str()), (None, "$argon2id$2"));
    assert_eq!(store.note_login(TENANT, id(0x5c), false, START).await, Err(StoreError::NotFound));
}

/// An attachment comes in parts, is cut off, goes on, and is what its hash says.
async fn attach(store: &dyn Store, alice: &Desk) {
    let bytes: Vec<u8> = (0..MAX_PART + 1000).map(|n| (n % 251) as u8).collect();
    let blob = BlobId { root: WANG, sha256: Sha256::digest(&bytes).into() };
    let part = |from: usize, to: usize| BlobPart {
        id: blob,
        size: bytes.len() as i64,
        offset: from as i64,
        bytes: bytes[from..to].to_vec(),
        at: START,
    };
    let size = bytes.len() as i64;
    let put = async |part: BlobPart| store.put_blob_part(TENANT, alice.device, part).await;
    assert_eq!(store.blob_state(TENANT, alice.device, blob).await, Err(StoreError::NotFound));
    assert_eq!(put(part(0, bytes.len())).await, Err(StoreError::TooLarge));
    let used = store.usage(TENANT).await.unwrap().bytes;
    let begun = BlobState { have: MAX_PART as i64, size, complete: false };
    assert_eq!(put(part(0, MAX_PART)).await, Ok(begun.clone()));
    assert_eq!(put(part(0, MAX_PART)).await, Ok(begun.clone()), "the answer was lost");
    let ahead = put(part(MAX_PART + 10, bytes.len())).await;
    assert_eq!(ahead, Err(StoreError::Position { have: MAX_PART as i64 }));
    assert_eq!(store.blob_state(TENANT, alice.device, blob).await, Ok(begun));
    assert_eq!(store.blob_part(TENANT, alice.device, blob, 0).await, Err(StoreError::NotFound), "not whole");
    let whole = BlobState { have: size, size, complete: true };
    assert_eq!(put(part(MAX_PART, bytes.len())).await, Ok(whole));
    assert_eq!(store.usage(TENANT).await.unwrap().bytes, used + size);
    let mut read = Vec::new();
    loop {
        let part = store.blob_part(TENANT, alice.device, blob, read.len() as i64).await.unwrap();
        if part.is_empty() {
            break;
        }
        read.extend(part);
    }
    assert_eq!(read, bytes);
    assert_eq!(store.blob_part(TENANT, alice.device, blob, 10).await.unwrap(), &bytes[10..MAX_PART]);
    // A desk of another site does not see it.
    let other = Desk::enrol(store, TENANT, id(0xb0b), &[WEST], 0).await;
    assert_eq!(store.blob_part(TENANT, other.device, blob, 0).await, Err(StoreError::NotAllowed));
    // Not what its name says: it begins anew.
    let wrong = BlobId { root: WANG, sha256: [9; 32] };
    let part = BlobPart { id: wrong, size: 3, offset: 0, bytes: vec![1, 2, 3], at: START };
    assert_eq!(put(part).await, Err(StoreError::Damaged));
    assert_eq!(store.blob_state(TENANT, alice.device, wrong).await, Err(StoreError::NotFound));
    assert_eq!(store.usage(TENANT).await.unwrap().bytes, used + size);
}

async fn keep_a_trail(store: &dyn Store) {
    for tenant in [TENANT, SERVER] {
        for number in 0..5 {
            let line = AuditLine {
                at: START + number,
                actor: id(1),
                act: "code".into(),
                object: id(2),
                details: "{}".into(),
            };
            store.audit(tenant, line).await.unwrap();
        }
        let mut all = store.audit_lines(tenant, 0, 3).await.unwrap();
        all.extend(store.audit_lines(tenant, 3, 3).await.unwrap());
        assert_eq!(all.iter().map(|entry| entry.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert_eq!(first_broken((0, &[]), &all), None);
        assert_eq!(first_broken((3, &all[2].hash), &all[3..]), None);
        let mut changed = all.clone();
        changed[2].line.object = id(3);
        assert_eq!(first_broken((0, &[]), &changed), Some(3));
        all.remove(1);
        assert_eq!(first_broken((0, &[]), &all), Some(2));
    }
    assert_eq!(store.tenant(SERVER).await, Err(StoreError::NotFound), "the server is no hospital");
}

/// A desk that was shut out is told so, whatever it wants; one that is to be wiped stays out.
async fn shut_out(store: &dyn Store, alice: &mut Desk) {
    store.put_desk_key(TENANT, alice.device, vec![1]).await.unwrap();
    store.put_desk_key(TENANT, alice.device, vec![2]).await.unwrap();
    assert_eq!(store.desk_key(TENANT, alice.device).await, Ok(vec![2]));
    for (status, wipe) in [(DeviceStatus::Revoked, false), (DeviceStatus::Wipe, true)] {
        store.set_device_status(TENANT, alice.device, status, START).await.unwrap();
        let out = StoreError::Revoked { wipe };
        assert_eq!(store.sync(TENANT, alice.request(), START, Default::default()).await, Err(out.clone()));
        assert_eq!(store.desk_key(TENANT, alice.device).await, Err(out.clone()));
        assert_eq!(store.snapshot(TENANT, alice.device, EAST, None, 1).await.unwrap_err(), out.clone());
        alice.write((Fields, "site"), id(0x60 + i64::from(wipe) as u128), &[("name", "外".into())], &[]);
        assert_eq!(store.sync(TENANT, alice.request(), START, Default::default()).await, Err(out));
    }
    let back = store.set_device_status(TENANT, alice.device, DeviceStatus::Active, START).await;
    assert_eq!(back, Err(StoreError::NotAllowed));
    let bob = Desk::enrol(store, TENANT, id(0xb0c), &[WEST], 0).await;
    store.set_closed(TENANT, true).await.unwrap();
    assert!(store.tenant(TENANT).await.unwrap().closed);
    let closed = store.sync(TENANT, bob.request(), START, Default::default()).await;
    assert_eq!(closed, Err(StoreError::Closed));
    store.set_closed(TENANT, false).await.unwrap();
    let open = store.sync(TENANT, bob.request(), START, Default::default()).await;
    assert!(matches!(open, Ok(Answered::Answer(_))));
}

/// A hospital leaves with everything it has, and its word and desks are free again.
async fn leave(store: &dyn Store) {
    assert_eq!(store.export(TENANT, None, 10).await.unwrap().len(), 1);
    store.delete_tenant(TENANT).await.unwrap();
    assert_eq!(store.tenant(TENANT).await, Err(StoreError::NotFound));
    assert_eq!(store.delete_tenant(TENANT).await, Err(StoreError::NotFound));
    assert_eq!(store.tenant_of_device(id(0xb0c)).await, Ok(None));
    assert_eq!(store.tenants().await.unwrap().len(), 1);
    make_hospital(store, TENANT, "renmin").await;
    assert!(store.devices(TENANT).await.unwrap().is_empty());
    assert!(store.export(TENANT, None, 10).await.unwrap().is_empty());
    assert!(store.audit_lines(TENANT, 0, 10).await.unwrap().is_empty());
}
