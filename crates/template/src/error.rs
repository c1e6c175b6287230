use std::fmt;
use std::io;

/// Where in a template something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The sheet's name.
    pub sheet: String,
    /// The cell, `B7`.
    pub cell: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}!{}", self.sheet, self.cell)
    }
}

/// Why a template cannot be filled.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// It is no workbook in the .xlsx format.
    #[error("not an .xlsx workbook")]
    NotWorkbook,
    /// A part is broken.
    #[error("{part} is damaged")]
    Damaged {
        /// The part's name.
        part: String,
    },
    /// It is protected by a password, or an old .xls.
    #[error("encrypted, or an old workbook")]
    Encrypted,
    /// It holds macros.
    #[error("with macros")]
    Macros,
    /// It unpacks to more than is accepted.
    #[error("unpacks to more than {limit} bytes or parts")]
    TooLarge {
        /// What was exceeded.
        limit: u64,
    },
    /// It has nothing to fill in.
    #[error("no placeholder")]
    NoPlaceholder,
    /// A placeholder that nothing is known for.
    #[error("{at}: unknown placeholder {name}")]
    Unknown {
        /// Where.
        at: Place,
        /// What it says.
        name: String,
    },
    /// A figure, or a field of one block, that stands twice.
    #[error("{at}: {name} stands already in {first}")]
    Doubled {
        /// The second.
        at: Place,
        /// The cell of the first.
        first: String,
        /// What it says.
        name: String,
    },
    /// A block that is opened and not closed.
    #[error("{at}: block {name} is not closed")]
    NotClosed {
        /// Where it is opened.
        at: Place,
        /// Of which table.
        name: String,
    },
    /// A block that is closed and was not opened.
    #[error("{at}: block {name} is not open")]
    NotOpened {
        /// Where it is closed.
        at: Place,
        /// Of which table.
        name: String,
    },
    /// A block within a block, or two tables in one row.
    #[error("{at}: {name} lies within {within}")]
    Nested {
        /// The inner one.
        at: Place,
        /// Its table.
        name: String,
        /// The table of the outer one.
        within: String,
    },
    /// A block without a field.
    #[error("{at}: block {name} has no field")]
    EmptyBlock {
        /// Where it is opened.
        at: Place,
        /// Of which table.
        name: String,
    },
    /// Braces that are not closed, or a placeholder within a formula.
    #[error("{at}: a placeholder that cannot be read")]
    Broken {
        /// Where.
        at: Place,
    },
    /// More rows than a sheet has.
    #[error("{sheet} would have more rows than a sheet has")]
    TooManyRows {
        /// The sheet's name.
        sheet: String,
    },
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl TemplateError {
    pub(crate) fn damaged(part: &str) -> Self {
        Self::Damaged { part: part.to_owned() }
    }
}
