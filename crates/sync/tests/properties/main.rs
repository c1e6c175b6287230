//! What holds for any input: the fold, the wire and its caps, digests, judges, older programs.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod feed;
mod wire;
