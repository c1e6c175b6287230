//! From bytes of an unknown encoding to text, piece by piece.

pub(crate) mod encoding;
pub(crate) mod lines;
pub(crate) mod source;

pub(crate) use encoding::{Decoded, Encoding, Tally, decode};
