//! Requests and answers.

mod results;
mod round;
mod sheet;

pub use results::*;
pub use round::*;
pub use sheet::*;
