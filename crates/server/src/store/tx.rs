//! One open transaction of one tenant, on either database, and the few shapes of statements that
//! the store needs. Statements are written once, as PostgreSQL takes them; `$1` is always the tenant.
//!
//! On SQLite nothing here ever waits: its futures are ready when they are first asked.

use std::borrow::Cow;

use rusqlite::Connection;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::postgres::Link;
use super::value::{Column, Kind, Row, Value};
use super::{Result, StoreError};

/// An open transaction.
pub struct Tx {
    pub(crate) tenant: Uuid,
    pub(crate) database: Side,
}

/// On which database.
pub(crate) enum Side {
    Sqlite(Connection),
    Postgres(Link),
}

/// Many rows for one table.
pub(crate) struct Insert {
    /// The table.
    pub(crate) table: &'static str,
    /// Its columns after the tenant.
    pub(crate) columns: &'static [(&'static str, Kind)],
    /// What happens when the key is there; begins with `ON CONFLICT`, or nothing.
    pub(crate) conflict: &'static str,
}

/// Many changes of one table's rows.
pub(crate) struct Update {
    /// The table.
    pub(crate) table: &'static str,
    /// The column after the tenant by which a row is found: an id.
    pub(crate) key: &'static str,
    /// The columns that are set.
    pub(crate) columns: &'static [(&'static str, Kind)],
}

impl Tx {
    /// The rows of a query.
    pub(crate) async fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>> {
        match &mut self.database {
            Side::Sqlite(connection) => {
                let mut found = Vec::new();
                query(connection, &dialect(sql), values, &mut found)?;
                Ok(found)
            }
            Side::Postgres(link) => {
                let tenant = self.tenant;
                let mut all: Vec<&(dyn ToSql + Sync)> = vec![&tenant];
                all.extend(values.iter().map(|value| value as &(dyn ToSql + Sync)));
                let rows = link.query(sql, &all).await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    /// The first row of a query, if there is one.
    pub(crate) async fn row(&mut self, sql: &str, values: &[Value]) -> Result<Option<Row>> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// The rows of a query that says `= ANY($2)`, for these ids. `more` are `$3` and so on.
    pub(crate) async fn rows_of(&mut self, sql: &str, ids: &[Uuid], more: &[Value]) -> Result<Vec<Row>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        match &mut self.database {
            Side::Sqlite(connection) => {
                let mut found = Vec::new();
                let sql = dialect(sql);
                for id in ids {
                    let mut values = vec![Value::Id(*id)];
                    values.extend_from_slice(more);
                    query(connection, &sql, &values, &mut found)?;
                }
                Ok(found)
            }
            Side::Postgres(link) => {
                let tenant = self.tenant;
                let mut all: Vec<&(dyn ToSql + Sync)> = vec![&tenant, &ids];
                all.extend(more.iter().map(|value| value as &(dyn ToSql + Sync)));
                let rows = link.query(sql, &all).await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    /// The rows of several queries, asked in one go: on PostgreSQL they share their way there and back.
    pub(crate) async fn rows_all(&mut self, asked: &[(&str, Vec<Value>)]) -> Result<Vec<Vec<Row>>> {
        let tenant = self.tenant;
        match &mut self.database {
            Side::Sqlite(connection) => {
                let found = asked.iter().map(|(sql, values)| {
                    let mut found = Vec::new();
                    query(connection, &dialect(sql), values, &mut found)?;
                    Ok(found)
                });
                found.collect()
            }
            Side::Postgres(link) => {
                let asked: Vec<(&str, Vec<&(dyn ToSql + Sync)>)> = asked
                    .iter()
                    .map(|(sql, values)| {
                        let mut all: Vec<&(dyn ToSql + Sync)> = vec![&tenant];
                        all.extend(values.iter().map(|value| value as &(dyn ToSql + Sync)));
                        (*sql, all)
                    })
                    .collect();
                let found = link.query_all(&asked).await?;
                Ok(found.into_iter().map(|rows| rows.into_iter().map(Row::Postgres).collect()).collect())
            }
        }
    }

    /// The same of queries that say `= ANY($2)`, each for its ids. A query for no ids is not asked.
    pub(crate) async fn rows_of_all(&mut self, asked: &[(&str, &Vec<Uuid>)]) -> Result<Vec<Vec<Row>>> {
        if let Side::Sqlite(_) = &self.database {
            let mut found = Vec::with_capacity(asked.len());
            for (sql, ids) in asked {
                found.push(self.rows_of(sql, ids, &[]).await?);
            }
            return Ok(found);
        }
        let Side::Postgres(link) = &mut self.database else {
            return Err(super::value::mistake());
        };
        let tenant = self.tenant;
        let some = asked.iter().filter(|(_, ids)| !ids.is_empty());
        let some: Vec<(&str, Vec<&(dyn ToSql + Sync)>)> = some
            .map(|(sql, ids)| (*sql, vec![&tenant as &(dyn ToSql + Sync), *ids as &(dyn ToSql + Sync)]))
            .collect();
        let mut found = link.query_all(&some).await?.into_iter();
        let rows = asked.iter().map(|(_, ids)| {
            let rows = if ids.is_empty() { Vec::new() } else { found.next().unwrap_or_default() };
            rows.into_iter().map(Row::Postgres).collect()
        });
        Ok(rows.collect())
    }

    /// Changes rows of one table, each by its key: a row's first value.
    pub(crate) async fn update(&mut self, of: &Update, rows: Vec<Vec<Value>>) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let Update { table, key, columns } = of;
        match &mut self.database {
            Side::Sqlite(connection) => {
                let set = columns.iter().enumerate().map(|(n, (name, _))| format!("{name} = ?{}", n + 3));
                let set = set.collect::<Vec<_>>().join(", ");
                let sql = format!("UPDATE {table} SET {set} WHERE tenant_id = ?1 AND {key} = ?2");
                let mut statement = connection.prepare_cached(&sql).map_err(sqlite_error)?;
                for row in rows {
                    bind(&mut statement, &row)?;
                    statement.raw_execute().map_err(sqlite_error)?;
                }
                Ok(())
            }
            Side::Postgres(link) => {
                let set = columns.iter().map(|(name, _)| format!("{name} = u.{name}")).collect::<Vec<_>>();
                let names = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
                let kinds: Vec<_> =
                    std::iter::once((*key, Kind::Id)).chain(columns.iter().copied()).collect();
                let arrays = kinds.iter().enumerate();
                let arrays =
                    arrays.map(|(n, (_, kind))| format!("${}::{}", n + 2, kind.array())).collect::<Vec<_>>();
                let sql = format!(
                    "UPDATE {table} SET {} FROM UNNEST({}) AS u ({key}, {names}) \
                     WHERE {table}.tenant_id = $1 AND {table}.{key} = u.{key}",
                    set.join(", "),
                    arrays.join(", ")
                );
                let values = into_columns(&kinds, rows)?;
                let tenant = self.tenant;
                let mut all: Vec<&(dyn ToSql + Sync)> = vec![&tenant];
                all.extend(values.iter().map(Column::as_sql));
                link.execute(&sql, &all).await.map(|_| ())
            }
        }
    }

    /// Carries a statement out; answers how many rows it touched.
    pub(crate) async fn run(&mut self, sql: &str, values: &[Value]) -> Result<u64> {
        match &mut self.database {
            Side::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(&dialect(sql)).map_err(sqlite_error)?;
                bind(&mut statement, values)?;
                statement.raw_execute().map(|rows| rows as u64).map_err(sqlite_error)
            }
            Side::Postgres(link) => {
                let tenant = self.tenant;
                let mut all: Vec<&(dyn ToSql + Sync)> = vec![&tenant];
                all.extend(values.iter().map(|value| value as &(dyn ToSql + Sync)));
                link.execute(sql, &all).await
            }
        }
    }

    /// Inserts many rows in one statement (PostgreSQL) or by one prepared statement (SQLite).
    pub(crate) async fn insert(&mut self, into: &Insert, rows: Vec<Vec<Value>>) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        match &mut self.database {
            Side::Sqlite(connection) => insert_rows(connection, into, rows),
            Side::Postgres(link) => {
                let names = into.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
                let arrays = into.columns.iter().enumerate();
                let arrays =
                    arrays.map(|(n, (_, kind))| format!("${}::{}", n + 2, kind.array())).collect::<Vec<_>>();
                let sql = format!(
                    "INSERT INTO {} (tenant_id, {names}) SELECT $1::uuid, u.* FROM UNNEST({}) AS u ({names}) {}",
                    into.table,
                    arrays.join(", "),
                    into.conflict
                );
                let columns = into_columns(into.columns, rows)?;
                let tenant = self.tenant;
                let mut all: Vec<&(dyn ToSql + Sync)> = vec![&tenant];
                all.extend(columns.iter().map(Column::as_sql));
                link.execute(&sql, &all).await?;
                Ok(())
            }
        }
    }
}

/// Inserts rows on SQLite.
pub(crate) fn insert_rows(connection: &Connection, into: &Insert, rows: Vec<Vec<Value>>) -> Result<()> {
    let names = into.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let marks = (1..=into.columns.len() + 1).map(|n| format!("?{n}")).collect::<Vec<_>>().join(", ");
    let sql = format!("INSERT INTO {} (tenant_id, {names}) VALUES ({marks}) {}", into.table, into.conflict);
    let mut statement = connection.prepare_cached(&sql).map_err(sqlite_error)?;
    for row in rows {
        bind(&mut statement, &row)?;
        statement.raw_execute().map_err(sqlite_error)?;
    }
    Ok(())
}

fn into_columns(kinds: &[(&'static str, Kind)], rows: Vec<Vec<Value>>) -> Result<Vec<Column>> {
    let mut columns: Vec<Column> = kinds.iter().map(|(_, kind)| Column::new(*kind, rows.len())).collect();
    for row in rows {
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value)?;
        }
    }
    Ok(columns)
}

/// The same statement as SQLite takes it: its one writer needs no row locks, and ids come one by one.
fn dialect(sql: &str) -> Cow<'_, str> {
    let sql = sql.replace(" FOR UPDATE", "").replace("= ANY($2)", "= $2").replace('$', "?");
    Cow::Owned(sql)
}

/// A file holds one tenant: it is number 0 there, which takes no room.
fn bind(statement: &mut rusqlite::Statement<'_>, values: &[Value]) -> Result<()> {
    statement.raw_bind_parameter(1, 0).map_err(sqlite_error)?;
    for (n, value) in values.iter().enumerate() {
        statement.raw_bind_parameter(n + 2, value).map_err(sqlite_error)?;
    }
    Ok(())
}

/// The rows of a query on SQLite, one by one; `take` says whether it wants more.
pub(crate) fn each_row(
    connection: &Connection,
    sql: &str,
    values: &[Value],
    mut take: impl FnMut(Row) -> Result<bool>,
) -> Result<()> {
    let mut statement = connection.prepare_cached(&dialect(sql)).map_err(sqlite_error)?;
    bind(&mut statement, values)?;
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(sqlite_error)? {
        if !take(sqlite_row(row, columns)?)? {
            break;
        }
    }
    Ok(())
}

fn query(connection: &Connection, sql: &str, values: &[Value], found: &mut Vec<Row>) -> Result<()> {
    let mut statement = connection.prepare_cached(sql).map_err(sqlite_error)?;
    bind(&mut statement, values)?;
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(sqlite_error)? {
        found.push(sqlite_row(row, columns)?);
    }
    Ok(())
}

fn sqlite_row(row: &rusqlite::Row<'_>, columns: usize) -> Result<Row> {
    let mut values = Vec::with_capacity(columns);
    for column in 0..columns {
        use rusqlite::types::ValueRef;
        values.push(match row.get_ref(column).map_err(sqlite_error)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(value) => Value::Int(value),
            ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
            ValueRef::Real(_) => return Err(super::value::mistake()),
        });
    }
    Ok(Row::Sqlite(values))
}

/// SQLite's error by its code: its text may quote a statement.
pub(crate) fn sqlite_error(error: rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode;
    match &error {
        rusqlite::Error::SqliteFailure(cause, _) => match cause.code {
            ErrorCode::ConstraintViolation => StoreError::Exists,
            ErrorCode::DiskFull => StoreError::DiskFull,
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy,
            _ => StoreError::Database(format!("sqlite-{}", cause.extended_code)),
        },
        _ => StoreError::Database("sqlite".into()),
    }
}
