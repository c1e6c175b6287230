//! Reads hostile tables (CSV, Excel, DBF, HTML) as a bounded stream of rows.
//!
//! A file is recognised by its content and never by its name. Memory does not grow with the number
//! of rows, and nothing a file contains makes the reader panic: it is read, or refused with a
//! [`TableError`] that says where. A row that is damaged alone is delivered with a [`RowProblem`].
//! The crate knows nothing of what columns mean.
//!
//! ```no_run
//! use aftercare_tabular::{Options, Row, open};
//!
//! # fn main() -> Result<(), aftercare_tabular::TableError> {
//! let mut table = open("discharges.csv".as_ref(), &Options::default())?;
//! let mut row = Row::default();
//! while table.next_row(&mut row)? {
//!     println!("row {} has {} cells", row.number, row.cells.len());
//! }
//! # Ok(())
//! # }
//! ```

mod csv;
mod dbf;
mod detect;
mod error;
mod html;
pub mod limits;
mod number;
mod row;
mod table;
mod text;
mod xls;
mod xlsx;

pub use error::{ERROR_CODES, TableError};
pub use limits::{CancelCheck, Limits, Options};
pub use row::{Cell, PROBLEM_CODES, ProblemKind, Row, RowProblem, plain_number};
pub use table::{Format, Progress, Sheet, Table, open};
