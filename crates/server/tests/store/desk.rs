//! A desk as the store sees it: numbered ops, a chain, cursors, and what it was told.

use std::collections::{BTreeMap, BTreeSet};

use aftercare_domain::hlc::Hlc;
use aftercare_domain::op::{ChangeKind, FieldValue, OP_PROTOCOL, Op, chain_hash};
use aftercare_server::store::{
    Answered, CodeUse, Device, Limits, NewCode, NewDevice, NewTenant, Quota, Result, Store,
};
use aftercare_sync::Scope;
use aftercare_sync::wire::{
    Answer, Entry, Event, FedOp, Offer, Outcome, PROTOCOL, Refusal, Request, Verdict,
};
use serde_bytes::ByteBuf;
use uuid::Uuid;

/// The server's time at the beginning of the stories, milliseconds UTC.
pub const START: i64 = 1_790_000_000_000;

/// A readable id; the first byte group tells the kind apart, the last the bucket.
pub fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub async fn make_hospital(store: &dyn Store, tenant: Uuid, word: &str) {
    let new = NewTenant {
        id: tenant,
        word: word.into(),
        name: word.to_uppercase(),
        quota: Quota::default(),
        seal_key: [7; 32],
        made_at: START,
    };
    store.make_tenant(new).await.unwrap();
}

#[derive(Clone)]
pub struct Desk {
    pub tenant: Uuid,
    pub device: Uuid,
    pub user: Uuid,
    pub epoch: i64,
    pub now: i64,
    pub ops: Vec<(Op, Vec<u8>)>,
    pub hashes: Vec<Vec<u8>>,
    pub acknowledged: i64,
    pub cursors: BTreeMap<Scope, i64>,
    pub offers: Vec<Offer>,
    /// Everything it was told of others and itself.
    pub heard: Vec<(Scope, Entry)>,
}

impl Desk {
    /// Enrols a desk by a code that allows its history, which is as long as it likes.
    pub async fn enrol(
        store: &dyn Store,
        tenant: Uuid,
        device: Uuid,
        sites: &[Uuid],
        history_to: i64,
    ) -> Self {
        Self::try_enrol(store, tenant, device, sites, history_to).await.unwrap();
        Self {
            tenant,
            device,
            user: id(0x0a),
            epoch: 1,
            now: START,
            ops: Vec::new(),
            hashes: vec![Vec::new()],
            acknowledged: 0,
            cursors: BTreeMap::new(),
            offers: Vec::new(),
            heard: Vec::new(),
        }
    }

    pub async fn try_enrol(
        store: &dyn Store,
        tenant: Uuid,
        device: Uuid,
        sites: &[Uuid],
        history_to: i64,
    ) -> Result<Device> {
        let number = device.simple().to_string()[29..].to_uppercase();
        let code = NewCode {
            number: number.clone(),
            secret_hash: [1; 32],
            made_by: id(1),
            made_at: START,
            sites: BTreeSet::new(),
            history: true,
        };
        store.make_code(tenant, code).await?;
        let new = NewDevice {
            id: device,
            name: format!("desk {device}"),
            public_key: device.as_bytes().repeat(2),
            sites: sites.iter().copied().collect(),
            history_to,
        };
        store.enrol(tenant, CodeUse { number, secret_hash: [1; 32] }, new, START).await
    }

    /// Writes an op; nothing is sent yet.
    pub fn write(
        &mut self,
        (kind, entity): (ChangeKind, &str),
        record: Uuid,
        fields: &[(&str, FieldValue)],
        base: &[(&str, Uuid)],
    ) -> Uuid {
        self.write_op(kind, entity, record, None, fields, base)
    }

    /// Writes a command.
    pub fn command(
        &mut self,
        entity: &str,
        record: Uuid,
        command: &str,
        fields: &[(&str, FieldValue)],
    ) -> Uuid {
        self.write_op(ChangeKind::Command, entity, record, Some(command), fields, &[])
    }

    fn write_op(
        &mut self,
        kind: ChangeKind,
        entity: &str,
        record: Uuid,
        command: Option<&str>,
        fields: &[(&str, FieldValue)],
        base: &[(&str, Uuid)],
    ) -> Uuid {
        self.now += 1000;
        let dseq = self.ops.len() as i64 + 1;
        let made = base.is_empty() && command.is_none();
        let op_id = if made {
            record
        } else {
            Uuid::from_u128((self.device.as_u128() << 32) | (0xc0de << 16) | dseq as u128)
        };
        let op = Op {
            protocol: OP_PROTOCOL,
            op_id,
            dseq,
            device: self.device,
            user: self.user,
            hlc: Hlc::from_i64(self.now << 16),
            kind,
            entity: entity.into(),
            id: record,
            command: command.map(str::to_owned),
            fields: fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            base: base.iter().map(|(name, op)| ((*name).to_owned(), *op)).collect(),
        };
        let mut bytes = Vec::new();
        ciborium::into_writer(&op, &mut bytes).unwrap();
        self.hashes.push(chain_hash(self.hashes.last().unwrap(), &bytes).to_vec());
        self.ops.push((op, bytes));
        op_id
    }

    pub fn request(&self) -> Request {
        let from = self.acknowledged as usize;
        Request {
            protocol: PROTOCOL,
            epoch: self.epoch,
            device: self.device,
            acknowledged: self.acknowledged,
            first: self.acknowledged + 1,
            chain: ByteBuf::from(self.hashes[from].clone()),
            ops: self.ops[from..].iter().take(500).map(|(_, bytes)| ByteBuf::from(bytes.clone())).collect(),
            cursors: self.cursors.clone(),
            offers: self.offers.clone(),
            wants_digest: true,
            entities: aftercare_sync::entities::fingerprint(),
        }
    }

    /// Sends what is unsent and takes in the answer, until there is no more of either.
    pub async fn sync(&mut self, store: &dyn Store) -> std::result::Result<Answer, Refusal> {
        let mut verdicts: Vec<Verdict> = Vec::new();
        loop {
            let answered =
                store.sync(self.tenant, self.request(), self.now, Limits::default()).await.unwrap();
            let mut answer = match answered {
                Answered::Answer(answer) => *answer,
                Answered::Refused(refusal) => return Err(refusal),
            };
            self.take(&answer);
            verdicts.append(&mut answer.verdicts);
            let more = answer.pages.iter().any(|page| page.more);
            if !more && self.acknowledged == self.ops.len() as i64 {
                return Ok(Answer { verdicts, ..answer });
            }
        }
    }

    pub fn take(&mut self, answer: &Answer) {
        self.acknowledged = answer.verdicts.last().map_or(self.acknowledged, |verdict| verdict.dseq);
        self.offers.clear();
        for page in &answer.pages {
            assert_eq!(page.after, self.cursors.get(&page.scope).copied().unwrap_or(0));
            self.cursors.insert(page.scope, page.up_to);
            self.heard.extend(page.entries.iter().map(|entry| (page.scope, entry.clone())));
        }
    }

    /// The ops it was told of, by id, with the scope that told.
    pub fn heard_ops(&self) -> Vec<(Uuid, Scope)> {
        self.heard
            .iter()
            .filter_map(|(scope, entry)| match &entry.event {
                Event::Op(fed) => aftercare_sync::accept::decode(&fed.bytes).map(|op| (op.op_id, *scope)),
                _ => None,
            })
            .collect()
    }

    pub fn heard_op(&self, op: Uuid) -> Option<&FedOp> {
        self.heard.iter().find_map(|(_, entry)| match &entry.event {
            Event::Op(fed) if aftercare_sync::accept::decode(&fed.bytes)?.op_id == op => Some(fed),
            _ => None,
        })
    }
}

/// The only verdict of an answer that is about `dseq`.
pub fn verdict(answer: &Answer, dseq: i64) -> &Verdict {
    let about: Vec<&Verdict> = answer.verdicts.iter().filter(|verdict| verdict.dseq == dseq).collect();
    assert_eq!(about.len(), 1);
    about[0]
}

pub fn accepted(answer: &Answer) -> bool {
    answer.verdicts.iter().all(|verdict| verdict.outcome == Outcome::Accepted)
}
