//! What can be wrong with a file, as codes and numbers; never with what the file says.

use std::io;

/// Why a table cannot be read, or cannot be read further.
///
/// No variant carries a cell's content: errors end up in logs, and cells are patient data.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// There is no file at that path.
    #[error("the file does not exist")]
    FileNotFound,
    /// The operating system refuses to read it.
    #[error("the file may not be read")]
    AccessDenied,
    /// Another program, mostly Excel or WPS on Windows, holds the file open.
    #[error("the file is in use by another program")]
    FileLocked,
    /// A folder, a device or a pipe.
    #[error("not a regular file")]
    NotAFile,
    /// Reading failed half-way, such as a network drive that went away.
    #[error("reading the file failed")]
    Io {
        /// The operating system's own error.
        #[source]
        source: io::Error,
    },
    /// No bytes at all, or nothing but a byte order mark.
    #[error("the file is empty")]
    FileEmpty,
    /// More bytes on disk than are accepted for this kind of file.
    #[error("the file has {bytes} bytes, {limit} are accepted")]
    FileTooLarge {
        /// Size on disk.
        bytes: u64,
        /// What is accepted for its format.
        limit: u64,
    },
    /// A format that is recognised and not read, such as `ods`, `xlsb`, `pdf`, `png`, `binary`.
    #[error("{found} files are not read")]
    FormatUnsupported {
        /// Short name of what it is.
        found: &'static str,
    },
    /// Protected by a password.
    #[error("the file is protected by a password")]
    FileEncrypted,
    /// Ends before its own directory or header says.
    #[error("the file is cut off")]
    FileTruncated {
        /// Sheet being read, if one was.
        sheet: Option<String>,
        /// Last row that was complete, if any was.
        row: Option<u64>,
    },
    /// Structure that contradicts itself.
    #[error("the file is damaged in {part}")]
    FileDamaged {
        /// Which structure, such as `directory`, `workbook`, `sheet`, `shared_strings`, `header`.
        part: &'static str,
        /// Sheet being read, if one was.
        sheet: Option<String>,
        /// Row being read, if one was.
        row: Option<u64>,
    },
    /// Unpacks to more than is accepted: an unpacking bomb, or a sheet beyond reason.
    #[error("the file unpacks to more than {limit} bytes")]
    UnpacksTooLarge {
        /// Bytes after which unpacking was stopped.
        limit: u64,
    },
    /// More files inside the archive than any workbook has.
    #[error("the archive has more than {limit} entries")]
    TooManyParts {
        /// Entries accepted.
        limit: u64,
    },
    /// More distinct texts than fit into memory.
    #[error("the shared texts need more than {limit} bytes of memory")]
    TooManyTexts {
        /// Bytes of memory that may hold shared texts.
        limit: u64,
    },
    /// One cell is longer than a cell can sensibly be.
    #[error("a cell in row {row} is longer than {limit} bytes")]
    CellTooLong {
        /// Sheet, for formats that have several.
        sheet: Option<String>,
        /// Row, counted as in [`crate::Row::number`]; 0 where texts are stored apart from rows.
        row: u64,
        /// Column, from 1; 0 where texts are stored apart from cells.
        column: u64,
        /// Bytes of UTF-8 accepted.
        limit: u64,
    },
    /// All cells of one row together are too long.
    #[error("row {row} is longer than {limit} bytes")]
    RowTooLong {
        /// Row, counted as in [`crate::Row::number`].
        row: u64,
        /// Bytes accepted.
        limit: u64,
    },
    /// More rows than are accepted.
    #[error("more than {limit} rows")]
    TooManyRows {
        /// Rows accepted.
        limit: u64,
    },
    /// A row with more columns than are accepted.
    #[error("row {row} has more than {limit} columns")]
    TooManyColumns {
        /// Row, counted as in [`crate::Row::number`].
        row: u64,
        /// Columns accepted.
        limit: u64,
    },
    /// A quotation mark is opened and not closed within reason; what follows would be swallowed.
    #[error("the quotation mark opened in row {row} is not closed")]
    QuoteUnclosed {
        /// Row in which the mark stands.
        row: u64,
        /// Line of the file, as a text editor counts.
        line: u64,
        /// Column, from 1.
        column: u64,
    },
    /// Neither UTF-8, UTF-16 nor GB18030.
    #[error("the text is in an encoding that is not known")]
    EncodingUnknown,
    /// There is no sheet with that index.
    #[error("the workbook has no such sheet")]
    SheetMissing,
    /// The caller asked to stop.
    #[error("stopped on request")]
    Cancelled,
}

/// Every code that [`TableError::code`] can answer, for tests that look for the texts.
pub const ERROR_CODES: &[&str] = &[
    "file_not_found",
    "file_access_denied",
    "file_locked",
    "file_not_regular",
    "io",
    "file_empty",
    "file_too_large",
    "format_unsupported",
    "file_encrypted",
    "file_truncated",
    "file_damaged",
    "unpacks_too_large",
    "too_many_parts",
    "too_many_texts",
    "cell_too_long",
    "row_too_long",
    "too_many_rows",
    "too_many_columns",
    "quote_unclosed",
    "encoding_unknown",
    "sheet_missing",
    "cancelled",
];

impl TableError {
    /// The machine's word for this error; one of [`ERROR_CODES`].
    pub fn code(&self) -> &'static str {
        match self {
            Self::FileNotFound => "file_not_found",
            Self::AccessDenied => "file_access_denied",
            Self::FileLocked => "file_locked",
            Self::NotAFile => "file_not_regular",
            Self::Io { .. } => "io",
            Self::FileEmpty => "file_empty",
            Self::FileTooLarge { .. } => "file_too_large",
            Self::FormatUnsupported { .. } => "format_unsupported",
            Self::FileEncrypted => "file_encrypted",
            Self::FileTruncated { .. } => "file_truncated",
            Self::FileDamaged { .. } => "file_damaged",
            Self::UnpacksTooLarge { .. } => "unpacks_too_large",
            Self::TooManyParts { .. } => "too_many_parts",
            Self::TooManyTexts { .. } => "too_many_texts",
            Self::CellTooLong { .. } => "cell_too_long",
            Self::RowTooLong { .. } => "row_too_long",
            Self::TooManyRows { .. } => "too_many_rows",
            Self::TooManyColumns { .. } => "too_many_columns",
            Self::QuoteUnclosed { .. } => "quote_unclosed",
            Self::EncodingUnknown => "encoding_unknown",
            Self::SheetMissing => "sheet_missing",
            Self::Cancelled => "cancelled",
        }
    }

    /// The numbers and names a message for this code may mention, by parameter name.
    pub fn params(&self) -> Vec<(&'static str, String)> {
        let mut params = Vec::new();
        let mut put = |name, value: &dyn ToString| params.push((name, value.to_string()));
        match self {
            Self::FileTooLarge { bytes, limit } => {
                put("bytes", bytes);
                put("limit", limit);
            }
            Self::FormatUnsupported { found } => put("found", found),
            Self::FileTruncated { sheet, row } => {
                sheet.iter().for_each(|s| put("sheet", s));
                row.iter().for_each(|r| put("row", r));
            }
            Self::FileDamaged { part, sheet, row } => {
                put("part", part);
                sheet.iter().for_each(|s| put("sheet", s));
                row.iter().for_each(|r| put("row", r));
            }
            Self::UnpacksTooLarge { limit }
            | Self::TooManyParts { limit }
            | Self::TooManyTexts { limit }
            | Self::TooManyRows { limit } => put("limit", limit),
            Self::CellTooLong { sheet, row, column, limit } => {
                sheet.iter().for_each(|s| put("sheet", s));
                put("row", row);
                put("column", column);
                put("limit", limit);
            }
            Self::RowTooLong { row, limit } | Self::TooManyColumns { row, limit } => {
                put("row", row);
                put("limit", limit);
            }
            Self::QuoteUnclosed { row, line, column } => {
                put("row", row);
                put("line", line);
                put("column", column);
            }
            Self::FileNotFound
            | Self::AccessDenied
            | Self::FileLocked
            | Self::NotAFile
            | Self::Io { .. }
            | Self::FileEmpty
            | Self::FileEncrypted
            | Self::EncodingUnknown
            | Self::SheetMissing
            | Self::Cancelled => {}
        }
        params
    }

    /// Damage in a part that belongs to no sheet or row.
    pub(crate) fn damaged(part: &'static str) -> Self {
        Self::FileDamaged { part, sheet: None, row: None }
    }
}

impl From<io::Error> for TableError {
    fn from(source: io::Error) -> Self {
        // Errors of our own travel through `Read` implementations wrapped in an `io::Error`.
        if source.get_ref().is_some_and(|inner| inner.is::<Self>()) {
            if let Some(Ok(own)) = source.into_inner().map(|inner| inner.downcast::<Self>()) {
                return *own;
            }
            return Self::damaged("file");
        }
        // 32 and 33 are ERROR_SHARING_VIOLATION and ERROR_LOCK_VIOLATION.
        if cfg!(windows) && matches!(source.raw_os_error(), Some(32 | 33)) {
            return Self::FileLocked;
        }
        match source.kind() {
            io::ErrorKind::NotFound => Self::FileNotFound,
            io::ErrorKind::PermissionDenied => Self::AccessDenied,
            _ => Self::Io { source },
        }
    }
}

impl From<TableError> for io::Error {
    fn from(error: TableError) -> Self {
        io::Error::other(error)
    }
}
