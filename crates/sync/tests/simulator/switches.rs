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
}

impl Switches {
    pub const ALL: Self =
        Self { server: Protections::ALL, cursor_with_page: true, offers: true, fork_detection: true };
}
