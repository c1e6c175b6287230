//! dBase and FoxPro tables.

/// Whether the bytes begin with a dBase header.
pub(crate) fn looks_like(_head: &[u8]) -> bool {
    false
}
