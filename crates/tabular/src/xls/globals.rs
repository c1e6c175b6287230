//! The part of a BIFF stream that concerns the whole workbook.

use std::collections::HashMap;

use crate::TableError;
use crate::limits::Options;
use crate::number::{Epoch, NumberKind};
use crate::table::Sheet;
use crate::xls::records::{Cursor, Records, id, u16_at, u32_at};
use crate::xlsx::texts::Texts;

/// Which BIFF it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// Excel 5 and 95: text in a code page.
    Biff5,
    /// Excel 97 and later, and WPS: Unicode.
    Biff8,
}

/// What sheets need to know of the workbook.
pub(crate) struct Globals {
    pub(crate) version: Version,
    pub(crate) sheets: Vec<Sheet>,
    /// Where each sheet's records begin.
    pub(crate) starts: Vec<u64>,
    pub(crate) styles: Vec<NumberKind>,
    pub(crate) texts: Texts,
    pub(crate) epoch: Epoch,
}

/// The kinds of substreams that a BOF record names.
const WHOLE_WORKBOOK: u16 = 0x0005;
const WORKSHEET: u16 = 0x0010;
/// More formats than Excel can hold by far.
const MOST_FORMATS: usize = 100_000;

fn damaged() -> TableError {
    TableError::damaged("workbook")
}

/// Reads the version and kind of a substream from the BOF record read last.
pub(crate) fn version_of(data: &[u8]) -> Option<(Version, u16)> {
    let version = match u16_at(data, 0)? {
        0x0500 => Version::Biff5,
        0x0600 => Version::Biff8,
        _ => return None,
    };
    Some((version, u16_at(data, 2)?))
}

impl Globals {
    pub(crate) fn read(records: &mut Records, options: &Options) -> Result<Self, TableError> {
        records.go_to(0);
        let first = records.next()?.ok_or_else(damaged)?;
        let (version, kind) = match first.id {
            id::BOF => version_of(records.data()).ok_or(TableError::FormatUnsupported { found: "biff" })?,
            0x0409 => return Err(TableError::FormatUnsupported { found: "biff4" }),
            0x0209 => return Err(TableError::FormatUnsupported { found: "biff3" }),
            0x0009 => return Err(TableError::FormatUnsupported { found: "biff2" }),
            _ => return Err(damaged()),
        };
        let mut globals = Self {
            version,
            sheets: Vec::new(),
            starts: Vec::new(),
            styles: Vec::new(),
            texts: Texts::new(options.limits.shared_text_bytes),
            epoch: Epoch::From1900,
        };
        match kind {
            WHOLE_WORKBOOK => globals.read_records(records, options)?,
            // Some programs write a single sheet without a workbook around it.
            WORKSHEET => {
                globals.sheets.push(Sheet { name: String::new(), visible: true });
                globals.starts.push(0);
            }
            _ => return Err(damaged()),
        }
        globals.texts.close()?;
        if globals.sheets.is_empty() {
            return Err(damaged());
        }
        Ok(globals)
    }

    fn read_records(&mut self, records: &mut Records, options: &Options) -> Result<(), TableError> {
        let mut own: HashMap<u16, NumberKind> = HashMap::new();
        let mut formats_of_styles: Vec<u16> = Vec::new();
        loop {
            let Some(head) = records.next()? else {
                return Err(TableError::FileTruncated { sheet: None, row: None });
            };
            match head.id {
                id::EOF => break,
                id::FILE_PASS => return Err(TableError::FileEncrypted),
                id::DATE_MODE if u16_at(records.data(), 0) == Some(1) => self.epoch = Epoch::From1904,
                id::BOUND_SHEET => self.read_sheet(records, options)?,
                id::FORMAT => {
                    let number = u16_at(records.data(), 0).ok_or_else(damaged)?;
                    let format = self.read_format(records)?;
                    own.insert(number, NumberKind::of_format(&format));
                }
                id::XF => formats_of_styles.push(u16_at(records.data(), 2).ok_or_else(damaged)?),
                id::SST => self.read_texts(records, options)?,
                _ => {}
            }
            if own.len() > MOST_FORMATS || formats_of_styles.len() > MOST_FORMATS {
                return Err(damaged());
            }
        }
        let kind = |format: &u16| own.get(format).copied().unwrap_or_else(|| NumberKind::of_builtin(*format));
        self.styles = formats_of_styles.iter().map(kind).collect();
        Ok(())
    }

    fn read_sheet(&mut self, records: &mut Records, options: &Options) -> Result<(), TableError> {
        let data = records.data();
        let start = u32_at(data, 0).ok_or_else(damaged)?;
        let (state, kind) = (data.get(4).copied(), data.get(5).copied());
        let length = usize::from(*data.get(6).ok_or_else(damaged)?);
        // Charts and macro sheets have no cells.
        if kind != Some(0) {
            return Ok(());
        }
        let mut cursor = Cursor::new(records, 7);
        let name = match self.version {
            Version::Biff8 => cursor.unicode_of(length)?,
            Version::Biff5 => cursor.narrow(length)?.0,
        };
        // The upper bits are reserved.
        let visible = state.is_some_and(|state| state & 3 == 0);
        self.sheets.push(Sheet { name, visible });
        self.starts.push(u64::from(start));
        if self.sheets.len() as u64 > options.limits.sheets {
            return Err(damaged());
        }
        Ok(())
    }

    fn read_format(&self, records: &mut Records) -> Result<String, TableError> {
        match self.version {
            Version::Biff8 => Cursor::new(records, 2).unicode(),
            Version::Biff5 => {
                let length = usize::from(*records.data().get(2).ok_or_else(damaged)?);
                Ok(Cursor::new(records, 3).narrow(length)?.0)
            }
        }
    }

    fn read_texts(&mut self, records: &mut Records, options: &Options) -> Result<(), TableError> {
        let count = u32_at(records.data(), 4).ok_or_else(damaged)?;
        let mut cursor = Cursor::new(records, 8);
        // Each text takes at least three bytes, so that a false count ends soon.
        for number in 0..count {
            let text = cursor.unicode()?;
            if text.len() as u64 > options.limits.cell_bytes {
                self.texts.push_overlong()?;
            } else {
                self.texts.push(&text)?;
            }
            if number.is_multiple_of(4096) {
                options.check_cancelled()?;
            }
        }
        Ok(())
    }
}
