//! PostgreSQL and what speaks its language. Several servers may share one database: none holds
//! anything that another needs.
//!
//! The schema belongs to one role ([`migrate`]); the service runs as another that owns nothing. Row-level
//! security shows it the rows of the tenant that a transaction names, and no others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Row, Statement};
use uuid::Uuid;

use super::address::{Address, parse};
use super::driver::{Driver, Later};
use super::tx::{Side, Tx};
use super::{Result, StoreError};

pub use super::address::role_of;

mod embedded {
    refinery::embed_migrations!("migrations/postgres");
}

/// Every table, children first.
pub const TABLES: [&str; 17] = [
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
/// Every frequent statement goes by a key, and a plan made while a hospital was empty might scan its tables
/// until their first statistics. Small pushes were still slow with this; what makes them so is not known yet.
const PLANS: &str = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off";
const PAUSE: Duration = Duration::from_millis(20);

/// A PostgreSQL database, by the role that owns nothing.
pub struct Postgres {
    address: Address,
    idle: Mutex<Vec<Link>>,
    connections: Semaphore,
    writers: Mutex<HashMap<Uuid, Arc<Semaphore>>>,
}

/// A connection with its prepared statements.
pub(crate) struct Link {
    client: Client,
    statements: HashMap<String, Statement>,
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
        Ok(Self {
            address,
            idle: Mutex::new(vec![link]),
            connections: Semaphore::new(connections.max(1)),
            writers: Mutex::new(HashMap::new()),
        })
    }

    async fn begin(&self, tenant: Uuid, how: &str) -> Result<Tx> {
        let sql = format!("BEGIN {how}; SELECT set_config('app.tenant', '{tenant}', true)");
        loop {
            let pooled = lock(&self.idle).pop();
            let old = pooled.is_some();
            let link = match pooled {
                Some(link) if link.client.is_closed() => continue,
                Some(link) => link,
                None => Link::connect(&self.address).await?,
            };
            match link.client.batch_execute(&sql).await {
                Ok(()) => return Ok(Tx { tenant, database: Side::Postgres(link) }),
                // The database was started anew since this connection was used last.
                Err(_) if old && link.client.is_closed() => {}
                Err(cause) => return Err(error(cause)),
            }
        }
    }

    /// Ends a transaction; the connection goes back only when that went well.
    async fn end(&self, tx: Tx, how: &str) -> Result<()> {
        let Side::Postgres(link) = tx.database else {
            return Err(StoreError::Database("side".into()));
        };
        link.client.batch_execute(how).await.map_err(error)?;
        lock(&self.idle).push(link);
        Ok(())
    }

    async fn once<T, J>(&self, tenant: Uuid, how: &str, job: &J) -> Result<T>
    where
        J: for<'a> Fn(&'a mut Tx) -> Later<'a, T> + Send + Sync,
        T: Send,
    {
        let mut tx = self.begin(tenant, how).await?;
        match job(&mut tx).await {
            Ok(answer) => {
                self.end(tx, "COMMIT").await?;
                Ok(answer)
            }
            Err(cause) => {
                // When even this fails the connection is dropped, and with it the transaction.
                let _ = self.end(tx, "ROLLBACK").await;
                Err(cause)
            }
        }
    }

    async fn repeat<T, J>(&self, tenant: Uuid, how: &str, job: J) -> Result<T>
    where
        J: for<'a> Fn(&'a mut Tx) -> Later<'a, T> + Send + Sync,
        T: Send,
    {
        let gone = |_| StoreError::Unavailable("closed".into());
        let _turn = self.connections.acquire().await.map_err(gone)?;
        let mut attempt = 1;
        loop {
            match self.once(tenant, how, &job).await {
                Err(StoreError::Busy) if attempt < ATTEMPTS => {
                    tokio::time::sleep(PAUSE * attempt).await;
                    attempt += 1;
                }
                other => return other,
            }
        }
    }
}

impl Driver for Postgres {
    async fn write<T, J>(&self, tenant: Uuid, job: J) -> Result<T>
    where
        T: Send + 'static,
        J: for<'a> Fn(&'a mut Tx) -> Later<'a, T> + Send + Sync + 'static,
    {
        let writers = Arc::clone(
            lock(&self.writers).entry(tenant).or_insert_with(|| Arc::new(Semaphore::new(WRITERS))),
        );
        let _turn = writers.acquire().await.map_err(|_| StoreError::Unavailable("closed".into()))?;
        // Each statement behind the tenant's row lock sees what the one before it committed.
        self.repeat(tenant, "ISOLATION LEVEL READ COMMITTED", job).await
    }

    async fn read<T, J>(&self, tenant: Uuid, job: J) -> Result<T>
    where
        T: Send + 'static,
        J: for<'a> Fn(&'a mut Tx) -> Later<'a, T> + Send + Sync + 'static,
    {
        self.repeat(tenant, "ISOLATION LEVEL REPEATABLE READ READ ONLY", job).await
    }

    async fn make_room(&self, _: Uuid) -> Result<()> {
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

impl Link {
    async fn connect(address: &Address) -> Result<Self> {
        let client = match &address.tls {
            Some(tls) => {
                let (client, connection) = address.config.connect(tls.clone()).await.map_err(error)?;
                tokio::spawn(carry(connection));
                client
            }
            None => {
                let (client, connection) = address.config.connect(NoTls).await.map_err(error)?;
                tokio::spawn(carry(connection));
                client
            }
        };
        // An engine that has no such settings plans well without them.
        let _ = client.batch_execute(PLANS).await;
        Ok(Self { client, statements: HashMap::new() })
    }

    async fn prepare(&mut self, sql: &str) -> Result<Statement> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await.map_err(error)?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    pub(crate) async fn query(&mut self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        let statement = self.prepare(sql).await?;
        self.client.query(&statement, values).await.map_err(error)
    }

    pub(crate) async fn execute(&mut self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<u64> {
        let statement = self.prepare(sql).await?;
        self.client.execute(&statement, values).await.map_err(error)
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

/// Carries a connection's bytes until it ends, which shows in `is_closed` and in its users' errors.
async fn carry(connection: impl Future<Output = std::result::Result<(), tokio_postgres::Error>>) {
    let _ = connection.await;
}

/// PostgreSQL's error by its SQLSTATE: its text and details quote values.
pub(crate) fn error(cause: tokio_postgres::Error) -> StoreError {
    let Some(state) = cause.code() else {
        return StoreError::Unavailable("connection".into());
    };
    match *state {
        SqlState::UNIQUE_VIOLATION => StoreError::Exists,
        SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => StoreError::Busy,
        SqlState::DISK_FULL => StoreError::DiskFull,
        SqlState::ADMIN_SHUTDOWN
        | SqlState::CRASH_SHUTDOWN
        | SqlState::CANNOT_CONNECT_NOW
        | SqlState::TOO_MANY_CONNECTIONS => StoreError::Unavailable(state.code().to_owned()),
        _ => StoreError::Database(state.code().to_owned()),
    }
}

/// A panic under the lock leaves the list as it was or one shorter: both are sound.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
