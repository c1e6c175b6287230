//! The steps of a complaint, linked by hash, so that a printed dossier can be checked: a step that was
//! altered, left out or slipped in breaks the chain.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A step as it is linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The step.
    pub id: Uuid,
    /// Of which complaint.
    pub complaint_id: Uuid,
    /// The step before it; none for the first.
    pub previous_id: Option<Uuid>,
    /// From 1.
    pub ordinal: i64,
    /// `register` or the move's name.
    pub name: String,
    /// What was said and changed, JSON as it is stored.
    pub body: String,
    /// Milliseconds UTC.
    pub at: i64,
    /// By whom.
    pub user: Uuid,
    /// The hash of this step.
    pub hash: Vec<u8>,
}

/// The hash of a step after the one with `previous`; SHA-256 over every part with its length.
pub fn step_hash(previous: &[u8], step: &Step) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(previous);
    part(step.id.as_bytes());
    part(step.complaint_id.as_bytes());
    part(step.previous_id.as_ref().map(|id| id.as_bytes().as_slice()).unwrap_or_default());
    part(&step.ordinal.to_be_bytes());
    part(step.name.as_bytes());
    part(step.body.as_bytes());
    part(&step.at.to_be_bytes());
    part(step.user.as_bytes());
    hash.finalize().into()
}

/// Where a chain breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken {
    /// Number of the first step that does not fit, from 1.
    pub ordinal: i64,
}

/// Checks a whole chain, first step first, that must end at `head`.
pub fn check_chain(steps: &[Step], head: Option<Uuid>) -> Result<(), Broken> {
    let mut previous: Option<&Step> = None;
    for (ordinal, step) in (1_i64..).zip(steps) {
        let before = previous.map(|step| step.hash.as_slice()).unwrap_or_default();
        let fits = step.ordinal == ordinal
            && step.previous_id == previous.map(|step| step.id)
            && step.complaint_id == steps.first().map_or(step.complaint_id, |first| first.complaint_id)
            && step.hash == step_hash(before, step);
        if !fits {
            return Err(Broken { ordinal });
        }
        previous = Some(step);
    }
    if previous.map(|step| step.id) != head {
        return Err(Broken { ordinal: previous.map_or(1, |step| step.ordinal + 1) });
    }
    Ok(())
}
