//! Checks that the change log is dense and unbroken.

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::op::chain_hash;
use rusqlite::Connection;

use crate::error::{Error, Result};

/// What a check found whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many records were checked.
    pub records: i64,
}

/// Walks every op from the first: numbers dense from 1, each hash over the one before.
///
/// Errors: `ChangeLogBroken` with the first number that does not fit.
pub fn verify(connection: &Connection) -> Result<Verified> {
    let broken = |dseq: i64| Error::new(ErrorCode::ChangeLogBroken).with("dseq", dseq);
    let mut hash: Vec<u8> = Vec::new();
    let mut last = 0_i64;
    let mut statement = connection.prepare("SELECT dseq, bytes, hash FROM op ORDER BY dseq")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let dseq: i64 = row.get("dseq")?;
        if dseq != last + 1 {
            return Err(broken(last + 1));
        }
        let bytes = row.get_ref("bytes")?.as_blob().map_err(|_| broken(dseq))?;
        // The ops of an erased patient are empty; their hashes stay and carry the chain.
        hash = match bytes.is_empty() {
            true => row.get("hash")?,
            false => chain_hash(&hash, bytes).to_vec(),
        };
        if row.get_ref("hash")?.as_blob().ok() != Some(hash.as_slice()) {
            return Err(broken(dseq));
        }
        last = dseq;
    }
    let (desk_last, desk_hash): (i64, Vec<u8>) =
        connection.query_row("SELECT last_dseq, chain_hash FROM desk", [], |row| {
            Ok((row.get("last_dseq")?, row.get("chain_hash")?))
        })?;
    if desk_last != last || desk_hash != hash {
        return Err(broken(last + 1));
    }
    Ok(Verified { records: last })
}
