//! PostgreSQL and what speaks its language. Several servers may share one database: none holds
//! anything that another needs.
//!
//! The schema belongs to one role ([`migrate`]); the service runs as another that owns nothing. Row-level
//! security shows it the rows of the tenant that a transaction names, and no others.

mod copy;
mod link;
mod together;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aftercare_rehearsal::point;
use tokio::sync::Semaphore;
use tokio_postgres::Client;
use uuid::Uuid;

use super::address::{Address, parse};
use super::crowd::Crowd;
use super::driver::{Driver, Later};
use super::push::{Push, Taken};
use super::tx::{Side, Tx};
use super::{Result, StoreError};

use self::link::error;
use self::together::Queues;

pub(crate) use self::link::Link;
pub use super::address::role_of;

mod embedded {
    refinery::embed_migrations!("migrations/postgres");
}

/// Every table, children first.
pub const TABLES: [&str; 19] = [
    "attempt",
    "directory",
    "code_index",
    "device_index",
    "code",
    "person",
    "desk_key",
    "feed",
    "op",
    "record",
    "digest",
    "erased_record",
    "erasure",
    "blob_part",
    "blob",
    "audit",
    "device",
    "epoch",
    "tenant",
];
/// How often a transaction is tried again when others were in its way.
const ATTEMPTS: u32 = 8;
/// Writers of one tenant that may hold a connection: one works, the next waits for its row lock. The others
/// wait here, so that a busy hospital leaves connections to its readers and to other hospitals.
const WRITERS: usize = 2;
/// Each statement behind the tenant's row lock sees what the one before it committed.
const WRITE: &str = "ISOLATION LEVEL READ COMMITTED";
/// One state, from the first statement to the last.
const READ: &str = "ISOLATION LEVEL REPEATABLE READ READ ONLY";
const PAUSE: Duration = Duration::from_millis(20);

/// A PostgreSQL database, by the role that owns nothing.
pub struct Postgres {
    inner: Arc<Inner>,
}

struct Inner {
    address: Address,
    idle: Mutex<Vec<Link>>,
    /// Connections that readers may hold, and those that writers may.
    readers: Semaphore,
    all_writers: Semaphore,
    writers: Mutex<HashMap<Uuid, Arc<Semaphore>>>,
    queues: Queues,
    crowd: Crowd,
}

/// Brings the schema up to this version as its owner, and gives the service's role (which must be
/// there) what it needs and no more.
///
/// # Errors
/// `Newer` when a newer program made it, and what the database says.
pub async fn migrate(owner_url: &str, service_role: &str) -> Result<()> {
    use refinery::error::Kind;
    let mut link = Link::connect(&parse(owner_url)?).await?;
    if let Err(error) = embedded::migrations::runner().run_async(&mut link.client).await {
        return Err(match error.kind() {
            Kind::MissingVersion(_) | Kind::DivergentVersion(..) => StoreError::Newer,
            _ => StoreError::Database("migration".into()),
        });
    }
    let role = format!("\"{}\"", service_role.replace('"', "\"\""));
    let mut grants = format!("GRANT SELECT ON refinery_schema_history TO {role};");
    for table in TABLES {
        // The audit trail is not changed, and goes only with its hospital (see its policies).
        let what = if table == "audit" { "SELECT, INSERT, DELETE" } else { "SELECT, INSERT, UPDATE, DELETE" };
        grants.push_str(&format!("GRANT {what} ON {table} TO {role};"));
    }
    link.client.batch_execute(&grants).await.map_err(error)
}

impl Postgres {
    /// Connects as the service's role; at most `connections` at a time.
    ///
    /// # Errors
    /// `Privileged` when the role could pass by row-level security, `Newer` when the schema is another
    /// version's (older: run [`migrate`]), `Unavailable`.
    pub async fn open(service_url: &str, connections: usize) -> Result<Self> {
        let address = parse(service_url)?;
        let link = Link::connect(&address).await?;
        check_role(&link.client).await?;
        check_schema(&link.client).await?;
        // A quarter for writers: they are never behind all the readers in the queue.
        let for_writers = (connections / 4).max(1);
        Ok(Self {
            inner: Arc::new(Inner {
                address,
                idle: Mutex::new(vec![link]),
                readers: Semaphore::new(connections.saturating_sub(for_writers).max(1)),
                all_writers: Semaphore::new(for_writers),
                writers: Mutex::default(),
                queues: Queues::default(),
                crowd: Crowd::default(),
            }),
        })
    }
}

impl Inner {
    /// A connection for a transaction, which begins with its first statement.
    async fn begin(&self, tenant: Uuid, how: &str) -> Result<Tx> {
        let mut link = loop {
            match lock(&self.idle).pop() {
                Some(link) if link.client.is_closed() => {}
                Some(link) => break Some(link),
                None => break None,
            }
        };
        if link.is_none() {
            link = Some(Link::connect(&self.address).await?);
        }
        let mut link = link.ok_or_else(|| StoreError::Database("side".into()))?;
        link.open(format!("BEGIN {how}; SELECT set_config('app.tenant', '{tenant}', true)"));
        Ok(Tx { tenant, database: Side::Postgres(link) })
    }

    /// One attempt. Nothing when the connection turns out to have been gone since it was used last: the
    /// database was started anew.
    async fn once<T, J>(&self, tenant: Uuid, how: &str, job: &J) -> Option<Result<T>>
    where
        J: for<'a> Fn(&'a mut Tx) -> Later<'a, T> + Send + Sync,
        T: Send,
    {
        let mut tx = match self.begin(tenant, how).await {
            Ok(tx) => tx,
            Err(cause) => return Some(Err(cause)),
        };
        let answer = job(&mut tx).await;
        let Side::Postgres(mut link) = tx.database else {
            return Some(Err(StoreError::Database("side".into())));
        };
        if answer.is_err() && link.was_gone() {
            return None;
        }
        let ended = match &answer {
            _ if how == READ => {
                link.let_go();
                Ok(())
            }
            Ok(_) => {
                point("server.commit.before");
                let committed = link.close("COMMIT").await;
                point("server.commit.after");
                committed
            }
            // When even this fails the connection is dropped, and with it the transaction.
            Err(_) => link.close("ROLLBACK").await,
        };
        if ended.is_ok() {
            lock(&self.idle).push(link);
        }
        Some(match (answer, ended) {
            (Ok(_), Err(cause)) => Err(cause),
            (answer, _) => answer,
        })
    }

    async fn repeat<T, J>(&self, tenant: Uuid, how: &str, job: J) -> Result<T>
    where
        J: for<'a> Fn(&'a mut Tx) -> Later<'a, T> + Send + Sync,
        T: Send,
    {
        let turns = if how == READ { &self.readers } else { &self.all_writers };
        let _turn = turns.acquire().await.map_err(|_| StoreError::Unavailable("closed".into()))?;
        let mut attempt = 1;
        loop {
            match self.once(tenant, how, &job).await {
                None => {}
                Some(Err(StoreError::Busy)) if attempt < ATTEMPTS => {
                    tokio::time::sleep(PAUSE * attempt).await;
                    attempt += 1;
                }
                Some(other) => return other,
            }
        }
    }

    async fn write<T, J>(&self, tenant: Uuid, job: J) -> Result<T>
    where
        T: Send + 'static,
        J: for<'a> Fn(&'a mut Tx) -> Later<'a, T> + Send + Sync + 'static,
    {
        let writers = Arc::clone(
            lock(&self.writers).entry(tenant).or_insert_with(|| Arc::new(Semaphore::new(WRITERS))),
        );
        let _turn = writers.acquire().await.map_err(|_| StoreError::Unavailable("closed".into()))?;
        self.repeat(tenant, WRITE, job).await
    }
}

impl Driver for Postgres {
    async fn write<T, J>(&self, tenant: Uuid, job: J) -> Result<T>
    where
        T: Send + 'static,
        J: for<'a> Fn(&'a mut Tx) -> Later<'a, T> + Send + Sync + 'static,
    {
        self.inner.write(tenant, job).await
    }

    async fn read<T, J>(&self, tenant: Uuid, job: J) -> Result<T>
    where
        T: Send + 'static,
        J: for<'a> Fn(&'a mut Tx) -> Later<'a, T> + Send + Sync + 'static,
    {
        self.inner.repeat(tenant, READ, job).await
    }

    async fn push(&self, tenant: Uuid, push: Push) -> Result<Taken> {
        together::push(&self.inner, tenant, push).await
    }

    fn crowd(&self) -> &Crowd {
        &self.inner.crowd
    }

    async fn make_room(&self, _: Uuid) -> Result<()> {
        Ok(())
    }

    async fn scrub(&self, _: Uuid) -> Result<()> {
        // Its vacuum and the end of its log's segments are the database's own business.
        Ok(())
    }

    async fn clear_room(&self, tenant: Uuid) -> Result<()> {
        self.write(tenant, |tx| {
            Box::pin(async move {
                tx.rows("SELECT set_config('app.leaving', 'yes', true) WHERE $1::uuid IS NOT NULL", &[])
                    .await?;
                for table in TABLES {
                    tx.run(&format!("DELETE FROM {table} WHERE tenant_id = $1"), &[]).await?;
                }
                Ok(())
            })
        })
        .await
    }
}

/// The role must not be able to pass by the policies.
async fn check_role(client: &Client) -> Result<()> {
    let sql = "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user";
    let row = client.query_one(sql, &[]).await.map_err(error)?;
    let (superuser, bypass): (bool, bool) = (row.get(0), row.get(1));
    if superuser {
        return Err(StoreError::Privileged("superuser"));
    }
    if bypass {
        return Err(StoreError::Privileged("bypassrls"));
    }
    let sql = "SELECT count(*) FROM pg_class WHERE relname = 'op' AND pg_has_role(current_user, relowner, 'MEMBER')";
    let owned: i64 = client.query_one(sql, &[]).await.map_err(error)?.get(0);
    if owned > 0 { Err(StoreError::Privileged("owner")) } else { Ok(()) }
}

async fn check_schema(client: &Client) -> Result<()> {
    let newest =
        embedded::migrations::runner().get_migrations().iter().map(|m| m.version()).max().unwrap_or(0);
    let sql = "SELECT max(version)::bigint FROM refinery_schema_history";
    let there: Option<i64> = client.query_one(sql, &[]).await.map_err(error)?.get(0);
    match there.unwrap_or(0).cmp(&i64::from(newest)) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(StoreError::Newer),
        std::cmp::Ordering::Less => Err(StoreError::Older),
    }
}

/// A panic under the lock leaves the list as it was or one shorter: both are sound.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
