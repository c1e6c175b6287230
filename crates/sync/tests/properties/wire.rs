//! Messages: round trips, versions, digests, lines of epochs.

use std::collections::BTreeMap;

use aftercare_sync::desk::common_head;
use aftercare_sync::digest::ScopeDigest;
use aftercare_sync::pack::{pack, unpack};
use aftercare_sync::wire::{EpochStart, PROTOCOL, Refusal, Request, check_protocol};
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
