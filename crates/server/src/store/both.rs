//! The store on either database: which transactions a call takes, and in whose tenant.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aftercare_rehearsal::point;
use aftercare_sync::Scope;
use aftercare_sync::door::{BlobState, RecordsAnswer};
use aftercare_sync::record::{Key, Record};
use aftercare_sync::wire::Request;
use async_trait::async_trait;
use uuid::Uuid;

use super::driver::{Driver, Later};
use super::tx::Tx;
use super::*;

/// A job out of a function of the transaction and what it takes, which is kept for another attempt.
macro_rules! job {
    (|$tx:ident $(, $kept:ident)*| $call:expr) => {{
        $(let $kept = Arc::new($kept);)*
        move |$tx: &mut Tx| -> Later<'_, _> {
            $(let $kept = Arc::clone(&$kept);)*
            Box::pin(async move { $call.await })
        }
    }};
}

/// Ops of a part of a long request, while others push too …
const PART: usize = 50;
/// … and for so many times as long as a part took, the request rests after it: whoever comes back after months leaves the
/// hospital its server.
const REST: u32 = 8;
/// The longest rest.
const LONGEST_REST: Duration = Duration::from_millis(200);

/// Takes what was erased out of the database's log too.
async fn scrubbed<D: Driver>(driver: &D, tenant: Uuid) {
    if let Err(error) = driver.scrub(tenant).await {
        // A reader held it up; the log is written over in time.
        tracing::warn!(%error, "the database's log still holds what was erased");
    }
}

/// Takes a request in: whole when its desk is alone, else in parts where it is long.
async fn push_in_parts<D: Driver>(
    driver: &D,
    tenant: Uuid,
    request: &Request,
    now: i64,
) -> Result<push::Taken> {
    let mut offered = Vec::new();
    let mut left = Some(request.clone());
    while let Some(request) = left {
        let begun = Instant::now();
        let crowded = driver.crowd().join(request.device, begun);
        let (part, rest) = push::part(request, if crowded { PART } else { usize::MAX });
        match driver.push(tenant, push::Push { request: Arc::new(part), now }).await? {
            Ok(outcomes) => offered.extend(outcomes),
            Err(refusal) => return Ok(Err(refusal)),
        }
        if rest.is_some() {
            tokio::time::sleep((begun.elapsed() * REST).min(LONGEST_REST)).await;
        }
        left = rest;
    }
    Ok(Ok(offered))
}

#[async_trait]
impl<D: Driver> Store for D {
    async fn make_tenant(&self, new: NewTenant) -> Result<()> {
        if new.id == SERVER {
            return Err(StoreError::Exists);
        }
        let new = Arc::new(new);
        let asked = Arc::clone(&new);
        self.read(SERVER, job!(|tx, asked| hospitals::word_is_free(tx, &asked))).await?;
        self.make_room(new.id).await?;
        let made = Arc::clone(&new);
        self.write(new.id, job!(|tx, made| hospitals::make(tx, &made))).await?;
        self.write(SERVER, job!(|tx, new| hospitals::enter(tx, &new))).await
    }

    async fn tenants(&self) -> Result<Vec<Tenant>> {
        let ids = self.read(SERVER, job!(|tx| hospitals::all(tx))).await?;
        let mut all = Vec::with_capacity(ids.len());
        for id in ids {
            all.push(self.tenant(id).await?);
        }
        Ok(all)
    }

    async fn tenant(&self, tenant: Uuid) -> Result<Tenant> {
        if tenant == SERVER {
            return Err(StoreError::NotFound);
        }
        self.read(tenant, job!(|tx| hospitals::read(tx))).await
    }

    async fn set_quota(&self, tenant: Uuid, quota: Quota) -> Result<()> {
        self.write(tenant, job!(|tx, quota| hospitals::set_quota(tx, *quota))).await
    }

    async fn set_closed(&self, tenant: Uuid, closed: bool) -> Result<()> {
        self.write(tenant, job!(|tx, closed| hospitals::set_closed(tx, *closed))).await
    }

    async fn usage(&self, tenant: Uuid) -> Result<Usage> {
        self.read(tenant, job!(|tx| hospitals::usage(tx))).await
    }

    async fn delete_tenant(&self, tenant: Uuid) -> Result<()> {
        self.tenant(tenant).await?;
        self.write(SERVER, job!(|tx, tenant| hospitals::strike(tx, *tenant))).await?;
        self.clear_room(tenant).await
    }

    async fn records_of(&self, tenant: Uuid, entity: &str) -> Result<Vec<Record>> {
        let entity = entity.to_owned();
        self.read(tenant, job!(|tx, entity| records::of_entity(tx, &entity))).await
    }

    async fn export(&self, tenant: Uuid, after: Option<Key>, limit: usize) -> Result<Vec<Record>> {
        self.read(tenant, job!(|tx, after| records::export(tx, after.as_ref().as_ref(), limit))).await
    }

    async fn export_ops(&self, tenant: Uuid, after: i64, limit: usize) -> Result<Vec<KeptOp>> {
        self.read(tenant, job!(|tx| leave::ops(tx, after, limit))).await
    }

    async fn export_blobs(&self, tenant: Uuid) -> Result<Vec<KeptBlob>> {
        self.read(tenant, job!(|tx| leave::blobs(tx))).await
    }

    async fn export_blob_part(&self, tenant: Uuid, id: BlobId, offset: i64) -> Result<Vec<u8>> {
        self.read(tenant, job!(|tx, id| leave::blob_part(tx, &id, offset))).await
    }

    async fn name_site(&self, tenant: Uuid, site: SiteName, now: i64) -> Result<()> {
        self.write(tenant, job!(|tx, site| own::name_site(tx, &site, now))).await
    }

    async fn position(&self, tenant: Uuid) -> Result<Position> {
        self.read(tenant, job!(|tx| hospitals::position(tx))).await
    }

    async fn set_durable_seq(&self, tenant: Uuid, seq: i64) -> Result<()> {
        self.write(tenant, job!(|tx| hospitals::set_durable_seq(tx, seq))).await
    }

    async fn begin_epoch(&self, tenant: Uuid, than: i64) -> Result<i64> {
        self.write(tenant, job!(|tx| hospitals::begin_epoch(tx, than))).await
    }

    async fn make_code(&self, tenant: Uuid, code: NewCode) -> Result<()> {
        let code = Arc::new(code);
        let pointed = Arc::clone(&code);
        self.position(tenant).await?;
        self.write(SERVER, job!(|tx, pointed| devices::point_code(tx, tenant, &pointed))).await?;
        self.write(tenant, job!(|tx, code| devices::make_code(tx, &code))).await
    }

    async fn tenant_of_code(&self, number: &str, now: i64) -> Result<Option<Uuid>> {
        let number = number.to_owned();
        self.read(SERVER, job!(|tx, number| devices::hospital_of_code(tx, &number, now))).await
    }

    async fn enrol(&self, tenant: Uuid, with: CodeUse, device: NewDevice, now: i64) -> Result<Device> {
        let asked = Arc::new((with, device));
        let first = Arc::clone(&asked);
        // First whether the code is good, then to whom the id belongs: nobody takes ids without a code.
        let tried =
            self.write(tenant, job!(|tx, first| devices::try_code(tx, &first.0, &first.1, now))).await??;
        if let devices::Tried::Used(device) = tried {
            return Ok(*device);
        }
        let id = asked.1.id;
        self.write(SERVER, job!(|tx| devices::point_device(tx, tenant, id))).await?;
        point("server.enrol.pointed");
        self.write(tenant, job!(|tx, asked| devices::enrol(tx, &asked.0, &asked.1, now))).await?
    }

    async fn devices(&self, tenant: Uuid) -> Result<Vec<Device>> {
        self.read(tenant, job!(|tx| devices::all(tx))).await
    }

    async fn tenant_of_device(&self, device: Uuid) -> Result<Option<Uuid>> {
        self.read(SERVER, job!(|tx| devices::hospital_of_device(tx, device))).await
    }

    async fn device(&self, tenant: Uuid, device: Uuid) -> Result<Device> {
        self.read(tenant, job!(|tx| devices::find(tx, device))).await?.ok_or(StoreError::NotFound)
    }

    async fn admission(&self, tenant: Uuid, device: Uuid) -> Result<Admission> {
        self.read(tenant, job!(|tx| devices::admission(tx, device))).await
    }

    async fn set_sites(&self, tenant: Uuid, device: Uuid, sites: BTreeSet<Scope>) -> Result<()> {
        self.write(tenant, job!(|tx, sites| devices::set_sites(tx, device, &sites))).await
    }

    async fn set_device_status(
        &self,
        tenant: Uuid,
        device: Uuid,
        status: DeviceStatus,
        now: i64,
    ) -> Result<()> {
        self.write(tenant, job!(|tx| devices::set_status(tx, device, status, now))).await
    }

    async fn note_contact(&self, tenant: Uuid, device: Uuid, now: i64) -> Result<()> {
        if self.read(tenant, job!(|tx| devices::contact_is_old(tx, device, now))).await? {
            self.write(tenant, job!(|tx| devices::note_contact(tx, device, now))).await?;
        }
        Ok(())
    }

    async fn note_unsent(&self, tenant: Uuid, device: Uuid, unsent: i64) -> Result<()> {
        self.write(tenant, job!(|tx| devices::note_unsent(tx, device, unsent))).await
    }

    async fn put_user(&self, tenant: Uuid, user: ServerUser) -> Result<()> {
        self.write(tenant, job!(|tx, user| people::put(tx, &user))).await
    }

    async fn user_by_login(&self, tenant: Uuid, login: &str) -> Result<ServerUser> {
        let login = login.to_owned();
        self.read(tenant, job!(|tx, login| people::by_login(tx, &login))).await
    }

    async fn note_login(&self, tenant: Uuid, user: Uuid, right: bool, now: i64) -> Result<Option<i64>> {
        self.write(tenant, job!(|tx| people::note_login(tx, user, right, now))).await
    }

    async fn take_attempt(&self, attempt: Attempt, now: i64) -> Result<Option<i64>> {
        self.write(SERVER, job!(|tx, attempt| people::attempt(tx, &attempt, now))).await
    }

    async fn give_back_attempt(&self, attempt: Attempt) -> Result<()> {
        self.write(SERVER, job!(|tx, attempt| people::give_back(tx, &attempt))).await
    }

    async fn users(&self, tenant: Uuid) -> Result<Vec<ServerUser>> {
        self.read(tenant, job!(|tx| people::all(tx))).await
    }

    async fn put_desk_key(&self, tenant: Uuid, device: Uuid, sealed: Vec<u8>) -> Result<()> {
        self.write(tenant, job!(|tx, sealed| devices::put_key(tx, device, &sealed))).await
    }

    async fn desk_key(&self, tenant: Uuid, device: Uuid) -> Result<Vec<u8>> {
        self.read(tenant, job!(|tx| devices::key(tx, device))).await
    }

    async fn sync(&self, tenant: Uuid, request: Request, now: i64, limits: Limits) -> Result<Answered> {
        let request = Arc::new(request);
        let asked = Arc::clone(&request);
        if !push::writes(&request) {
            return self.read(tenant, job!(|tx, asked| pull::reply(tx, &asked, now, limits))).await;
        }
        let offered = match push_in_parts(self, tenant, &request, now).await? {
            Ok(offered) => offered,
            Err(refusal) => return Ok(Answered::Refused(refusal)),
        };
        point("server.sync.taken");
        let answer = self.read(tenant, job!(|tx, asked| pull::answer(tx, &asked, now, limits))).await?;
        Ok(Answered::Answer(Box::new(Answer { offered, ..answer })))
    }

    async fn snapshot(
        &self,
        tenant: Uuid,
        device: Uuid,
        scope: Scope,
        after: Option<Key>,
        limit: usize,
    ) -> Result<Snapshot> {
        self.read(
            tenant,
            job!(|tx, after| records::snapshot(tx, device, scope, after.as_ref().as_ref(), limit)),
        )
        .await
    }

    async fn bucket_records(
        &self,
        tenant: Uuid,
        device: Uuid,
        scope: Scope,
        bucket: usize,
        after: Option<Key>,
        limit: usize,
    ) -> Result<RecordsAnswer> {
        let place = (scope, bucket);
        self.read(
            tenant,
            job!(|tx, after| records::of_bucket(tx, device, place, after.as_ref().as_ref(), limit)),
        )
        .await
    }

    async fn put_blob_part(&self, tenant: Uuid, device: Uuid, part: BlobPart) -> Result<BlobState> {
        self.write(tenant, job!(|tx, part| blobs::put(tx, device, &part))).await?
    }

    async fn blob_state(&self, tenant: Uuid, device: Uuid, id: BlobId) -> Result<BlobState> {
        self.read(tenant, job!(|tx, id| blobs::state(tx, device, &id))).await
    }

    async fn blob_part(&self, tenant: Uuid, device: Uuid, id: BlobId, offset: i64) -> Result<Vec<u8>> {
        self.read(tenant, job!(|tx, id| blobs::read(tx, device, &id, offset))).await
    }

    async fn audit(&self, tenant: Uuid, line: AuditLine) -> Result<()> {
        self.write(tenant, job!(|tx, line| trail::append(tx, &line))).await
    }

    async fn audit_lines(&self, tenant: Uuid, after: i64, limit: usize) -> Result<Vec<AuditEntry>> {
        self.read(tenant, job!(|tx| trail::read(tx, after, limit))).await
    }

    async fn ask_erasure(&self, tenant: Uuid, patient: Uuid, by: Uuid, now: i64) -> Result<()> {
        self.write(tenant, job!(|tx| erasure::ask(tx, patient, by, now))).await
    }

    async fn open_erasures(&self, tenant: Uuid, now: i64) -> Result<Vec<Erasure>> {
        self.read(tenant, job!(|tx| erasure::open(tx, now))).await
    }

    async fn withdraw_erasure(&self, tenant: Uuid, patient: Uuid) -> Result<()> {
        self.write(tenant, job!(|tx| erasure::withdraw(tx, patient))).await
    }

    async fn confirm_erasure(&self, tenant: Uuid, patient: Uuid, by: Uuid, now: i64) -> Result<Erased> {
        let erased = self.write(tenant, job!(|tx| erasure::confirm(tx, patient, by, now))).await?;
        scrubbed(self, tenant).await;
        Ok(erased)
    }

    async fn confirmed_erasures(&self, tenant: Uuid) -> Result<Vec<Confirmed>> {
        self.read(tenant, job!(|tx| erasure::confirmed(tx))).await
    }

    async fn repeat_erasure(&self, tenant: Uuid, erasure: Confirmed) -> Result<Option<Erased>> {
        let erased = self.write(tenant, job!(|tx| erasure::repeat(tx, erasure))).await?;
        scrubbed(self, tenant).await;
        Ok(erased)
    }

    async fn quarantine(&self, tenant: Uuid, after: i64, limit: usize) -> Result<Vec<Quarantined>> {
        self.read(tenant, job!(|tx| quarantine::list(tx, after, limit))).await
    }

    async fn release(&self, tenant: Uuid, seq: i64, now: i64) -> Result<Outcome> {
        self.write(tenant, job!(|tx| quarantine::release(tx, seq, now))).await
    }

    async fn reject(&self, tenant: Uuid, seq: i64) -> Result<()> {
        self.write(tenant, job!(|tx| quarantine::reject(tx, seq))).await
    }

    async fn ready(&self) -> Result<()> {
        self.read(SERVER, job!(|tx| hospitals::all(tx))).await.map(|_| ())
    }
}
