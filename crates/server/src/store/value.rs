//! Values on their way into a statement and out of a row, the same for both databases.

use std::collections::BTreeSet;
use std::error::Error;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use super::{Result, StoreError};

/// A value of a column.
#[derive(Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    Id(Uuid),
}

/// A column's type, for arrays of its values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Text,
    Bytes,
    Id,
}

macro_rules! into_value {
    ($($from:ty => $to:expr;)*) => {
        $(impl From<$from> for Value {
            fn from(value: $from) -> Self {
                $to(value)
            }
        })*
    };
}

into_value! {
    i64 => Value::Int;
    bool => |value| Value::Int(i64::from(value));
    String => Value::Text;
    &str => |value: &str| Value::Text(value.to_owned());
    &String => |value: &String| Value::Text(value.clone());
    Vec<u8> => Value::Bytes;
    &Vec<u8> => |value: &Vec<u8>| Value::Bytes(value.clone());
    &[u8] => |value: &[u8]| Value::Bytes(value.to_vec());
    [u8; 32] => |value: [u8; 32]| Value::Bytes(value.to_vec());
    Uuid => Value::Id;
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl std::fmt::Debug for Value {
    /// Values are patients' data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Value::Null => Ok(IsNull::Yes),
            Value::Int(value) => value.to_sql_checked(ty, out),
            Value::Text(value) => value.to_sql_checked(ty, out),
            Value::Bytes(value) => value.to_sql_checked(ty, out),
            Value::Id(value) => value.to_sql_checked(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, ValueRef};
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Int(value) => ValueRef::Integer(*value),
            Value::Text(value) => ValueRef::Text(value.as_bytes()),
            Value::Bytes(value) => ValueRef::Blob(value),
            Value::Id(value) => ValueRef::Blob(value.as_bytes()),
        }))
    }
}

/// Values of one column of many rows.
#[derive(Debug)]
pub(crate) enum Column {
    Int(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
    Id(Vec<Option<Uuid>>),
}

impl Column {
    pub(crate) fn new(kind: Kind, rows: usize) -> Self {
        match kind {
            Kind::Int => Column::Int(Vec::with_capacity(rows)),
            Kind::Text => Column::Text(Vec::with_capacity(rows)),
            Kind::Bytes => Column::Bytes(Vec::with_capacity(rows)),
            Kind::Id => Column::Id(Vec::with_capacity(rows)),
        }
    }

    /// Adds a value. A value of another type than the column's is a mistake in this program.
    pub(crate) fn push(&mut self, value: Value) -> Result<()> {
        match (self, value) {
            (Column::Int(all), Value::Int(value)) => all.push(Some(value)),
            (Column::Text(all), Value::Text(value)) => all.push(Some(value)),
            (Column::Bytes(all), Value::Bytes(value)) => all.push(Some(value)),
            (Column::Id(all), Value::Id(value)) => all.push(Some(value)),
            (Column::Int(all), Value::Null) => all.push(None),
            (Column::Text(all), Value::Null) => all.push(None),
            (Column::Bytes(all), Value::Null) => all.push(None),
            (Column::Id(all), Value::Null) => all.push(None),
            _ => return Err(mistake()),
        }
        Ok(())
    }

    pub(crate) fn as_sql(&self) -> &(dyn ToSql + Sync) {
        match self {
            Column::Int(all) => all,
            Column::Text(all) => all,
            Column::Bytes(all) => all,
            Column::Id(all) => all,
        }
    }
}

impl Kind {
    /// PostgreSQL's type of an array of these.
    pub(crate) fn array(self) -> &'static str {
        match self {
            Kind::Int => "bigint[]",
            Kind::Text => "text[]",
            Kind::Bytes => "bytea[]",
            Kind::Id => "uuid[]",
        }
    }
}

/// A row that was read. Columns go by number, in the order of the statement's list.
pub(crate) enum Row {
    Sqlite(Vec<Value>),
    Postgres(tokio_postgres::Row),
}

macro_rules! column {
    ($($name:ident, $or_null:ident: $type:ty, $pattern:pat => $value:expr;)*) => {
        $(pub(crate) fn $or_null(&self, column: usize) -> Result<Option<$type>> {
            match self {
                Row::Postgres(row) => row.try_get(column).map_err(|_| mistake()),
                Row::Sqlite(values) => match values.get(column) {
                    Some(Value::Null) => Ok(None),
                    Some($pattern) => Ok(Some($value)),
                    _ => Err(mistake()),
                },
            }
        }

        pub(crate) fn $name(&self, column: usize) -> Result<$type> {
            self.$or_null(column)?.ok_or_else(mistake)
        })*
    };
}

impl Row {
    column! {
        int, int_or_null: i64, Value::Int(value) => *value;
        text, text_or_null: String, Value::Text(value) => value.clone();
        bytes, bytes_or_null: Vec<u8>, Value::Bytes(value) => value.clone();
        id, id_or_null: Uuid, Value::Bytes(value) => Uuid::from_slice(value).map_err(|_| mistake())?;
    }

    /// A flag.
    pub(crate) fn flag(&self, column: usize) -> Result<bool> {
        Ok(self.int(column)? != 0)
    }

    /// Ids with spaces between.
    pub(crate) fn ids(&self, column: usize) -> Result<BTreeSet<Uuid>> {
        self.text(column)?
            .split_ascii_whitespace()
            .map(|word| Uuid::parse_str(word).map_err(|_| mistake()))
            .collect()
    }
}

/// Ids with spaces between.
pub(crate) fn join_ids(ids: &BTreeSet<Uuid>) -> String {
    ids.iter().map(Uuid::to_string).collect::<Vec<_>>().join(" ")
}

/// What is stored is not of the form that this program stores.
pub(crate) fn mistake() -> StoreError {
    StoreError::Database("form".into())
}
