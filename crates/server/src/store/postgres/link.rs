//! One connection, its prepared statements, and how many questions share a way there and back.

use std::collections::HashMap;

use futures_util::FutureExt;
use futures_util::future::{join, try_join_all};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Row, RowStream, Statement};
use uuid::Uuid;

use super::super::address::Address;
use super::super::{Result, StoreError};

/// What a connection is told once. Every frequent statement goes by a key. A plan that was kept from the time when a
/// hospital was empty would go on by whatever index looked as cheap then, so each is planned for what is
/// there now; pushes that are taken in together share the planning too.
const PLANS: [&str; 2] = [
    "SET plan_cache_mode = force_custom_plan",
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off",
];
/// Statements that are sent before the first is answered.
const AT_ONCE: usize = 16;

/// A connection with its prepared statements.
pub(crate) struct Link {
    pub(super) client: Client,
    statements: HashMap<String, Statement>,
    /// What begins the transaction: it goes out with the transaction's first statement.
    opening: Option<String>,
    /// Whether the database has answered in this transaction.
    heard: bool,
}

/// The values of a statement.
pub(crate) type Values<'a> = [&'a (dyn ToSql + Sync)];

impl Link {
    pub(super) async fn connect(address: &Address) -> Result<Self> {
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
        for plans in PLANS {
            // An engine that has no such settings plans well without them.
            let _ = client.batch_execute(plans).await;
        }
        Ok(Self { client, statements: HashMap::new(), opening: None, heard: false })
    }

    async fn prepare(&mut self, sql: &str) -> Result<Statement> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await.map_err(error)?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Begins a transaction with the next statement.
    pub(super) fn open(&mut self, sql: String) {
        self.opening = Some(sql);
        self.heard = false;
    }

    /// Whether the connection was gone before anything of this transaction was asked: it may be tried on
    /// another.
    pub(super) fn was_gone(&self) -> bool {
        self.client.is_closed() && !self.heard
    }

    /// Ends the transaction, if it ever began.
    pub(super) async fn close(&mut self, how: &str) -> Result<()> {
        if self.opening.take().is_some() {
            return Ok(());
        }
        self.client.batch_execute(how).await.map_err(error)
    }

    /// Ends a transaction that wrote nothing, without waiting for the answer, which changes nothing: the
    /// connection answers in order.
    pub(super) fn let_go(&mut self) {
        if self.opening.take().is_none() {
            let _ = self.client.batch_execute("COMMIT").now_or_never();
        }
    }

    pub(crate) async fn query(&mut self, sql: &str, values: &Values<'_>) -> Result<Vec<Row>> {
        let statement = self.prepare(sql).await?;
        let opening = self.opening.take();
        let (begun, found) = join(begin(&self.client, opening), self.client.query(&statement, values)).await;
        self.heard |= begun.is_ok();
        begun?;
        found.map_err(error)
    }

    /// The answers to several queries, which go out together.
    pub(crate) async fn query_all(
        &mut self,
        asked: &[(&str, Vec<&(dyn ToSql + Sync)>)],
    ) -> Result<Vec<Vec<Row>>> {
        let mut statements = Vec::with_capacity(asked.len());
        for (sql, _) in asked {
            statements.push(self.prepare(sql).await?);
        }
        let mut found = Vec::with_capacity(asked.len());
        for (asked, statements) in asked.chunks(AT_ONCE).zip(statements.chunks(AT_ONCE)) {
            let opening = self.opening.take();
            let rows = statements.iter().zip(asked).map(|(sql, (_, values))| self.client.query(sql, values));
            let (begun, rows) = join(begin(&self.client, opening), try_join_all(rows)).await;
            self.heard |= begun.is_ok();
            begun?;
            found.extend(rows.map_err(error)?);
        }
        Ok(found)
    }

    /// The rows of a query as they come. `tenant` is its only value.
    pub(super) async fn stream(&mut self, sql: &str, tenant: &Uuid) -> Result<RowStream> {
        let statement = self.prepare(sql).await?;
        let opening = self.opening.take();
        begin(&self.client, opening).await?;
        self.client.query_raw(&statement, [tenant]).await.map_err(error)
    }

    pub(crate) async fn execute(&mut self, sql: &str, values: &Values<'_>) -> Result<u64> {
        let statement = self.prepare(sql).await?;
        let opening = self.opening.take();
        let (begun, done) = join(begin(&self.client, opening), self.client.execute(&statement, values)).await;
        self.heard |= begun.is_ok();
        begun?;
        done.map_err(error)
    }
}

async fn begin(client: &Client, opening: Option<String>) -> Result<()> {
    match opening {
        Some(sql) => client.batch_execute(&sql).await.map_err(error),
        None => Ok(()),
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
