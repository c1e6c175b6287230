//! What crosses to the window.

mod duplicates;
mod edit;
mod find;
mod record;
mod timeline;

pub use duplicates::*;
pub use edit::*;
pub use find::*;
pub use record::*;
pub use timeline::*;
