//! Loopback HTTP host of the command dispatcher for browser tests. Never shipped.
