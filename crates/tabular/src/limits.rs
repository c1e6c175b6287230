//! How much of a file is accepted. Imports are hostile until proven otherwise.

use std::sync::Arc;

/// Bytes on disk of a file that is read from front to back (text, HTML, .dbf).
/// Five million rows of 300 bytes are 1.5 GB; memory does not grow with it.
pub const STREAM_FILE_BYTES: u64 = 4 << 30;
/// Bytes on disk of a packed workbook. A full .xlsx sheet of 21 columns has about 120 MB.
pub const PACKED_FILE_BYTES: u64 = 1 << 30;
/// Bytes on disk of an .xls. 65,536 rows × 256 columns of text, the most there can be, have about 400 MB.
pub const XLS_FILE_BYTES: u64 = 512 << 20;
/// Bytes one part of a packed workbook may unpack to. A full sheet of 40 columns has about 2 GB of XML.
pub const UNPACKED_BYTES: u64 = 6 << 30;
/// How many times larger than its packed form a part may become, once it is beyond
/// [`UNPACKED_FREE_BYTES`]. Real sheets reach 5 to 60; deflate can do 1,032.
pub const UNPACK_RATIO: u64 = 200;
/// Below this many unpacked bytes the ratio is not looked at: small empty sheets pack very well.
pub const UNPACKED_FREE_BYTES: u64 = 64 << 20;
/// Entries in an archive. Real workbooks have below a hundred, with many pictures a few thousand.
pub const ARCHIVE_ENTRIES: u64 = 10_000;
/// Rows with content. Excel ends at 1,048,576; text files may go on.
pub const ROWS: u64 = 5_000_000;
/// Columns. The national front-page data set has below 900; Excel can hold 16,384.
pub const COLUMNS: u64 = 4_096;
/// UTF-8 bytes of one cell. Excel ends at 32,767 characters, which is 98,301 bytes of Chinese;
/// databases export somewhat longer summaries.
pub const CELL_BYTES: u64 = 256 << 10;
/// UTF-8 bytes of all cells of a row.
pub const ROW_BYTES: u64 = 4 << 20;
/// Lines that one quoted cell of a text file may span. An unclosed quotation mark swallows the rest
/// of the file; no written summary has a thousand lines.
pub const QUOTED_LINES: u64 = 1_000;
/// Bytes of memory for the shared texts of a workbook, after packing. A million rows with eight
/// distinct texts each need about 90 MB.
pub const SHARED_TEXT_BYTES: u64 = 128 << 20;
/// Depth of elements within an XML part or of tables within an HTML table.
pub const NESTING: u64 = 64;
/// Sheets in a workbook.
pub const SHEETS: u64 = 1_000;

/// How much is accepted of a file. `Default` gives the constants of this module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// See [`STREAM_FILE_BYTES`].
    pub stream_file_bytes: u64,
    /// See [`PACKED_FILE_BYTES`].
    pub packed_file_bytes: u64,
    /// See [`XLS_FILE_BYTES`].
    pub xls_file_bytes: u64,
    /// See [`UNPACKED_BYTES`].
    pub unpacked_bytes: u64,
    /// See [`UNPACK_RATIO`].
    pub unpack_ratio: u64,
    /// See [`UNPACKED_FREE_BYTES`].
    pub unpacked_free_bytes: u64,
    /// See [`ARCHIVE_ENTRIES`].
    pub archive_entries: u64,
    /// See [`ROWS`].
    pub rows: u64,
    /// See [`COLUMNS`].
    pub columns: u64,
    /// See [`CELL_BYTES`].
    pub cell_bytes: u64,
    /// See [`ROW_BYTES`].
    pub row_bytes: u64,
    /// See [`QUOTED_LINES`].
    pub quoted_lines: u64,
    /// See [`SHARED_TEXT_BYTES`].
    pub shared_text_bytes: u64,
    /// See [`NESTING`].
    pub nesting: u64,
    /// See [`SHEETS`].
    pub sheets: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            stream_file_bytes: STREAM_FILE_BYTES,
            packed_file_bytes: PACKED_FILE_BYTES,
            xls_file_bytes: XLS_FILE_BYTES,
            unpacked_bytes: UNPACKED_BYTES,
            unpack_ratio: UNPACK_RATIO,
            unpacked_free_bytes: UNPACKED_FREE_BYTES,
            archive_entries: ARCHIVE_ENTRIES,
            rows: ROWS,
            columns: COLUMNS,
            cell_bytes: CELL_BYTES,
            row_bytes: ROW_BYTES,
            quoted_lines: QUOTED_LINES,
            shared_text_bytes: SHARED_TEXT_BYTES,
            nesting: NESTING,
            sheets: SHEETS,
        }
    }
}

/// Asked now and then during long work; `true` ends it with [`crate::TableError::Cancelled`].
pub type CancelCheck = Arc<dyn Fn() -> bool + Send + Sync>;

/// How to open a file.
#[derive(Clone, Default)]
pub struct Options {
    /// How much of the file is accepted.
    pub limits: Limits,
    /// Whether the caller wants to stop. Opening a large file reads it once from end to end.
    pub cancelled: Option<CancelCheck>,
}

impl Options {
    /// Fails when the caller wants to stop.
    pub(crate) fn check_cancelled(&self) -> Result<(), crate::TableError> {
        match &self.cancelled {
            Some(cancelled) if cancelled() => Err(crate::TableError::Cancelled),
            _ => Ok(()),
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("limits", &self.limits).finish_non_exhaustive()
    }
}
