//! Requests and responses.

mod detail;
mod list;
mod register;

pub use detail::*;
pub use list::*;
pub use register::*;
