//! The sync core: everything that desks and the server decide, and nothing that they do.
//!
//! State is a fold of the server's feed. Fields merge by a total order (`fold`), facts by union,
//! commands by one judge (`judge`). The server loads what a batch touches, calls [`accept::accept`]
//! and writes the answer in the same transaction; the desk takes it in with [`desk::take_verdicts`],
//! then [`desk::take_page`]. Neither clock, network, database nor randomness is known here, so the simulator in
//! `tests/` drives the same code with one seed.

pub mod accept;
pub mod canonical;
pub mod code;
pub mod desk;
pub mod digest;
pub mod door;
pub mod entities;
pub mod fingerprint;
pub mod fold;
pub mod judge;
pub mod pack;
pub mod record;
pub mod stick;
pub mod updates;
pub mod wire;

use uuid::Uuid;

/// Who may see an op: everybody in the hospital ([`HOSPITAL`]), or one site.
pub type Scope = Uuid;

/// The scope of what the whole hospital shares: staff, sites, settings, plans.
pub const HOSPITAL: Scope = Uuid::nil();
