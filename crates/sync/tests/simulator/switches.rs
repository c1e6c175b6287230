//! What keeps data whole, each to be switched off alone.

use aftercare_sync::accept::Protections;

#[derive(Debug, Clone, Copy)]
pub struct Switches {
    /// The server's.
    pub server: Protections,
    /// A desk stores a page and its cursor in one transaction.
    pub cursor_with_page: bool,
    /// A desk offers what a restored server lost.
    pub offers: bool,
    /// A desk that finds itself to be a copy takes a new identity.
    pub fork_detection: bool,
    /// A desk keeps what it offered until that is durable.
    pub rest: bool,
    /// A desk lets go of a patient who left its sites.
    pub evict: bool,
    /// The server does not speak with desks that were shut out.
    pub shut_out: bool,
    /// A desk that was upgraded applies what it had kept, and compares.
    pub upgrade: bool,
    /// A desk forgets what it wrote about an erased patient, and whatever else it has of them.
    pub forget: bool,
}

impl Switches {
    pub const ALL: Self = Self {
        server: Protections::ALL,
        cursor_with_page: true,
        offers: true,
        fork_detection: true,
        rest: true,
        evict: true,
        shut_out: true,
        upgrade: true,
        forget: true,
    };
}
