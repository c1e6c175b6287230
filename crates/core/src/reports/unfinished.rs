//! A workbook that appears only when it is whole.

use std::path::{Path, PathBuf};

use aftercare_domain::error_code::ErrorCode;
use rust_xlsxwriter::Workbook;
use tempfile::NamedTempFile;

use super::sheet::{self, Sheet};
use crate::error::{Error, Result};

/// A workbook on its way. It grows beside its target, on the same disk, and leaves nothing when it is dropped.
pub(crate) struct Unfinished {
    /// Where sheets are made.
    pub workbook: Workbook,
    file: NamedTempFile,
    target: PathBuf,
}

impl Unfinished {
    /// Begins one.
    ///
    /// Errors: `FileUnwritable`.
    pub fn beside(target: &Path) -> Result<Self> {
        let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file =
            tempfile::Builder::new().prefix(".aftercare-export-").tempfile_in(folder).map_err(unwritable)?;
        let mut workbook = Workbook::new();
        workbook.set_tempdir(folder).map_err(sheet::unwritten)?;
        Ok(Self { workbook, file, target: target.to_owned() })
    }

    /// Puts the sheets in, in this order, and the workbook in its place.
    ///
    /// Errors: `FileUnwritable`, `DiskFull`.
    pub fn finish<'l>(mut self, sheets: impl IntoIterator<Item = Sheet<'l>>) -> Result<()> {
        for sheet in sheets {
            self.workbook.push_worksheet(sheet.into_worksheet());
        }
        self.workbook.save_to_writer(self.file.as_file()).map_err(sheet::unwritten)?;
        self.file.as_file().sync_all()?;
        self.file.persist(&self.target).map_err(|error| unwritable(error.error))?;
        Ok(())
    }
}

fn unwritable(error: std::io::Error) -> Error {
    Error::new(ErrorCode::FileUnwritable).caused_by(error)
}
