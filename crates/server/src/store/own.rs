//! What the server itself writes: sites that an administrator makes or names here, as ops like any desk's.

use aftercare_domain::op::{ChangeKind, OP_PROTOCOL, Op};
use aftercare_sync::accept;
use aftercare_sync::entities;
use aftercare_sync::record::Key;
use uuid::Uuid;

use super::hospitals::lock;
use super::push::take_offers;
use super::tx::Tx;
use super::value::mistake;
use super::{Result, SiteName, StoreError, records};

/// Makes a site, or gives one another name. Desks hear of it in the feed.
pub(super) async fn name_site(tx: &mut Tx, site: &SiteName, now: i64) -> Result<()> {
    let hospital = lock(tx).await?;
    let key = Key::new(entities::SITE.table, site.id);
    let there = records::by_ids(tx, &[site.id]).await?.into_iter().find(|record| record.key == key);
    let base = match &there {
        Some(_) if site.op == site.id => return Err(StoreError::Exists),
        Some(record) => [("name".to_owned(), record.holder("name"))].into(),
        None if site.op == site.id => Default::default(),
        None => return Err(StoreError::NotFound),
    };
    // Who names a site here has seen the name before it, whatever clock that was written by.
    let before = there.map(|record| record.clocks.get("name").copied().unwrap_or(record.created).effective);
    let hlc = before.unwrap_or_default().tick(now);
    let op = Op {
        protocol: OP_PROTOCOL,
        op_id: site.op,
        dseq: 0,
        device: Uuid::nil(),
        user: Uuid::nil(),
        hlc,
        kind: ChangeKind::Fields,
        entity: key.entity,
        id: site.id,
        command: None,
        fields: [("name".to_owned(), site.name.as_str().into())].into(),
        base,
    };
    let mut bytes = Vec::new();
    ciborium::into_writer(&op, &mut bytes).map_err(|_| mistake())?;
    let server = accept::Device {
        id: Uuid::nil(),
        last_dseq: 0,
        chain: Vec::new(),
        sites: Default::default(),
        history_to: 0,
    };
    let head = hospital.position.head;
    let outcome = take_offers(tx, &server, vec![(op, bytes, hlc)], head, now).await?;
    if outcome.first().is_some_and(|outcome| outcome.counts()) { Ok(()) } else { Err(mistake()) }
}
