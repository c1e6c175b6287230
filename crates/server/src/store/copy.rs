//! Every table with its columns, as a copy of a hospital carries them from one database to another.

use super::Result;
use super::tx::Insert;
use super::value::{Kind, Row, Value};
use super::{erasure, push, records};

/// Every table. The tenant's column stands first in each and is not named here.
pub(crate) const TABLES: [Insert; 19] = [
    Insert {
        table: "directory",
        columns: &[
            ("hospital", Kind::Id),
            ("word", Kind::Text),
            ("name", Kind::Text),
            ("made_at", Kind::Int),
        ],
        conflict: "",
    },
    Insert {
        table: "code_index",
        columns: &[("number", Kind::Text), ("hospital", Kind::Id), ("expires_at", Kind::Int)],
        conflict: "",
    },
    Insert { table: "device_index", columns: &[("device", Kind::Id), ("hospital", Kind::Id)], conflict: "" },
    Insert {
        table: "tenant",
        columns: &[
            ("word", Kind::Text),
            ("name", Kind::Text),
            ("made_at", Kind::Int),
            ("closed", Kind::Int),
            ("quota_devices", Kind::Int),
            ("quota_bytes", Kind::Int),
            ("seal_key", Kind::Bytes),
            ("epoch", Kind::Int),
            ("head_seq", Kind::Int),
            ("durable_seq", Kind::Int),
            ("bytes_used", Kind::Int),
        ],
        conflict: "",
    },
    Insert { table: "epoch", columns: &[("epoch", Kind::Int), ("head", Kind::Int)], conflict: "" },
    Insert {
        table: "device",
        columns: &[
            ("id", Kind::Id),
            ("name", Kind::Text),
            ("public_key", Kind::Bytes),
            ("sites", Kind::Text),
            ("history_to", Kind::Int),
            ("status", Kind::Text),
            ("last_dseq", Kind::Int),
            ("chain", Kind::Bytes),
            ("enrolled_at", Kind::Int),
            ("last_contact_at", Kind::Int),
            ("unsent", Kind::Int),
        ],
        conflict: "",
    },
    Insert {
        table: "code",
        columns: &[
            ("number", Kind::Text),
            ("secret_hash", Kind::Bytes),
            ("made_by", Kind::Id),
            ("made_at", Kind::Int),
            ("sites", Kind::Text),
            ("history", Kind::Int),
            ("attempts", Kind::Int),
            ("used_by", Kind::Id),
        ],
        conflict: "",
    },
    Insert {
        table: "person",
        columns: &[
            ("id", Kind::Id),
            ("login", Kind::Text),
            ("name", Kind::Text),
            ("password_hash", Kind::Text),
            ("roles", Kind::Text),
            ("sites", Kind::Text),
            ("active", Kind::Int),
            ("failures", Kind::Int),
            ("locked_until", Kind::Int),
            ("changed_at", Kind::Int),
            ("trusted_from", Kind::Int),
            ("set_by", Kind::Id),
        ],
        conflict: "",
    },
    Insert { table: "desk_key", columns: &[("device", Kind::Id), ("sealed", Kind::Bytes)], conflict: "" },
    Insert { conflict: "", ..push::OPS },
    Insert { conflict: "", ..push::FEED },
    Insert { conflict: "", ..records::RECORDS },
    Insert { conflict: "", ..records::DIGESTS },
    Insert { conflict: "", ..erasure::RECORDS },
    Insert {
        table: "erasure",
        columns: &[
            ("root", Kind::Id),
            ("asked_by", Kind::Id),
            ("asked_at", Kind::Int),
            ("confirmed_by", Kind::Id),
            ("confirmed_at", Kind::Int),
        ],
        conflict: "",
    },
    Insert {
        table: "blob",
        columns: &[
            ("root", Kind::Id),
            ("sha256", Kind::Bytes),
            ("size", Kind::Int),
            ("have", Kind::Int),
            ("complete", Kind::Int),
            ("made_at", Kind::Int),
        ],
        conflict: "",
    },
    Insert {
        table: "blob_part",
        columns: &[("root", Kind::Id), ("sha256", Kind::Bytes), ("start", Kind::Int), ("bytes", Kind::Bytes)],
        conflict: "",
    },
    Insert {
        table: "audit",
        columns: &[
            ("number", Kind::Int),
            ("at", Kind::Int),
            ("actor", Kind::Id),
            ("act", Kind::Text),
            ("object", Kind::Id),
            ("details", Kind::Text),
            ("hash", Kind::Bytes),
        ],
        conflict: "",
    },
    Insert {
        table: "attempt",
        columns: &[("kind", Kind::Text), ("address", Kind::Text), ("tokens", Kind::Int), ("at", Kind::Int)],
        conflict: "",
    },
];

/// The values of a row that was read in the order of a table's columns.
pub(crate) fn values(table: &Insert, row: &Row) -> Result<Vec<Value>> {
    let columns = table.columns.iter().enumerate();
    columns
        .map(|(n, (_, kind))| {
            Ok(match kind {
                Kind::Int => row.int_or_null(n)?.into(),
                Kind::Text => row.text_or_null(n)?.into(),
                Kind::Bytes => row.bytes_or_null(n)?.into(),
                Kind::Id => row.id_or_null(n)?.into(),
            })
        })
        .collect()
}

/// The statement that reads all of a table's rows of a hospital; `$1` is the tenant.
pub(crate) fn select(table: &Insert) -> String {
    let names = table.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    format!("SELECT {names} FROM {} WHERE tenant_id = $1", table.table)
}
