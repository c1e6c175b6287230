//! Which of two writes to one field holds it: a total order, so that any order of arrival, any
//! repetition and any splitting of the feed ends in the same state.

use aftercare_domain::hlc::Hlc;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::entities::Entity;

/// The sequence of a write that the server has not numbered yet: later than every numbered one.
pub const UNSENT: i64 = i64::MAX;

/// The write that holds a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// The op that wrote it.
    pub op: Uuid,
    /// Its writer's clock, capped at the server's time on arrival.
    #[serde(rename = "at")]
    pub effective: Hlc,
    /// The server's number, or [`UNSENT`].
    pub seq: i64,
}

/// Whether `new` takes the field from `holder`. No holder: nobody changed the field since its
/// record was made, and every change is later than that.
///
/// Ordinary fields follow `(effective, seq)`. Judged fields (status, death, refusal) follow the
/// server's order alone: their verdict is in the feed already.
pub fn takes_over(entity: &Entity, field: &str, new: &Clock, holder: Option<&Clock>) -> bool {
    let Some(holder) = holder else {
        return true;
    };
    // The same write again: it may have got its number meanwhile.
    if new.op == holder.op {
        return true;
    }
    if entity.is_judged(field) {
        return (new.seq, new.op) > (holder.seq, holder.op);
    }
    (new.effective, new.seq, new.op) > (holder.effective, holder.seq, holder.op)
}

/// The effective time of a write that reaches the server at `server_millis`: a clock that runs
/// ahead cannot win over what others write later.
pub fn effective(written: Hlc, server_millis: i64) -> Hlc {
    written.min(Hlc::from_i64((server_millis.max(0) << 16) | 0xffff))
}
