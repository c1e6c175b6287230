//! Office Open XML workbooks: .xlsx and .xlsm, read row by row.

pub(crate) mod inflate;
pub(crate) mod package;
mod sheet;
pub(crate) mod texts;
mod workbook;
mod xml;

use std::fs::File;
use std::sync::Arc;

use quick_xml::events::Event;

use crate::TableError;
use crate::limits::Options;
use crate::number::NumberKind;
use crate::row::Row;
use crate::table::Sheet;
use package::Package;
use sheet::{Context, SheetReader};
use texts::Texts;
use workbook::Workbook;
use xml::{XmlReader, push_reference};

/// The rows of one sheet of a workbook.
pub(crate) struct XlsxRows {
    package: Package,
    workbook: Workbook,
    styles: Vec<NumberKind>,
    texts: Texts,
    options: Options,
    sheet: usize,
    reader: SheetReader,
    delivered: u64,
}

/// The body of a `mimetype` part is below this.
const MIMETYPE_BYTES: u64 = 200;

/// What an archive without a workbook is.
fn other_archive(package: &Package) -> Result<&'static str, TableError> {
    if package.has("mimetype") {
        let kind = package.read_small("mimetype", MIMETYPE_BYTES)?;
        let kind = String::from_utf8_lossy(&kind);
        if kind.contains("opendocument.spreadsheet") {
            return Ok("ods");
        }
        if kind.contains("opendocument") {
            return Ok("opendocument");
        }
    }
    Ok(if package.has("xl/workbook.bin") {
        "xlsb"
    } else if package.has_under("word/") {
        "docx"
    } else if package.has_under("ppt/") {
        "pptx"
    } else {
        "zip"
    })
}

impl XlsxRows {
    pub(crate) fn open(file: Arc<File>, file_bytes: u64, options: &Options) -> Result<Self, TableError> {
        let limits = &options.limits;
        let package = Package::open(file, file_bytes, limits)?;
        let part = match workbook::workbook_part(&package, limits)? {
            Some(part) if part.ends_with(".bin") => {
                return Err(TableError::FormatUnsupported { found: "xlsb" });
            }
            Some(part) if part.starts_with("word/") => {
                return Err(TableError::FormatUnsupported { found: "docx" });
            }
            Some(part) if part.starts_with("ppt/") => {
                return Err(TableError::FormatUnsupported { found: "pptx" });
            }
            Some(part) => part,
            None => return Err(TableError::FormatUnsupported { found: other_archive(&package)? }),
        };
        let workbook = Workbook::read(&package, &part, limits)?;
        let styles = match &workbook.styles {
            Some(part) => workbook::read_styles(&package, part, limits)?,
            None => Vec::new(),
        };
        let mut texts = Texts::new(limits.shared_text_bytes);
        if let Some(part) = &workbook.shared_strings {
            load_texts(&package, part, options, &mut texts)?;
        }
        let reader = open_sheet(&package, &workbook, 0, options)?;
        let mut rows = Self {
            package,
            workbook,
            styles,
            texts,
            options: options.clone(),
            sheet: 0,
            reader,
            delivered: 0,
        };
        rows.choose_sheet()?;
        Ok(rows)
    }

    /// Goes to the first visible sheet with content; to the first visible one if none has any.
    fn choose_sheet(&mut self) -> Result<(), TableError> {
        let visible: Vec<usize> = (0..self.workbook.sheets.len())
            .filter(|&i| self.workbook.sheets.get(i).is_some_and(|s| s.visible))
            .collect();
        let mut row = Row::default();
        for &index in &visible {
            self.select_sheet(index)?;
            // A sheet that cannot be read has content, and reading it will say what is wrong.
            if !matches!(self.next(&mut row), Ok(false)) {
                return self.select_sheet(index);
            }
        }
        self.select_sheet(visible.first().copied().unwrap_or(0))
    }

    pub(crate) fn sheets(&self) -> &[Sheet] {
        &self.workbook.sheets
    }

    pub(crate) fn sheet(&self) -> usize {
        self.sheet
    }

    pub(crate) fn select_sheet(&mut self, index: usize) -> Result<(), TableError> {
        self.reader = open_sheet(&self.package, &self.workbook, index, &self.options)?;
        self.sheet = index;
        self.delivered = 0;
        Ok(())
    }

    pub(crate) fn rewind(&mut self) -> Result<(), TableError> {
        self.select_sheet(self.sheet)
    }

    /// Packed bytes of the sheet that were read, and how many it has.
    pub(crate) fn progress(&self) -> (u64, u64) {
        let total =
            self.workbook.sheet_parts.get(self.sheet).map_or(0, |part| self.package.packed_bytes(part));
        (self.reader.packed_read(), total)
    }

    pub(crate) fn next(&mut self, out: &mut Row) -> Result<bool, TableError> {
        let sheet = self.workbook.sheets.get(self.sheet).map_or("", |sheet| sheet.name.as_str());
        let limits = &self.options.limits;
        let mut context = Context {
            texts: &mut self.texts,
            styles: &self.styles,
            epoch: self.workbook.epoch,
            sheet,
            limits,
        };
        let check = || self.options.check_cancelled();
        if !self.reader.next(&mut context, &check, out)? {
            return Ok(false);
        }
        self.delivered += 1;
        if self.delivered > limits.rows {
            return Err(TableError::TooManyRows { limit: limits.rows });
        }
        Ok(true)
    }
}

fn open_sheet(
    package: &Package,
    workbook: &Workbook,
    index: usize,
    options: &Options,
) -> Result<SheetReader, TableError> {
    let part = workbook.sheet_parts.get(index).ok_or(TableError::SheetMissing)?;
    let source = package.read(part, "sheet")?;
    Ok(SheetReader::new(XmlReader::new(source, "sheet", &options.limits)))
}

/// Reads the shared texts of a workbook.
fn load_texts(package: &Package, part: &str, options: &Options, texts: &mut Texts) -> Result<(), TableError> {
    let limits = &options.limits;
    let mut xml = XmlReader::new(package.read(part, "shared_strings")?, "shared_strings", limits);
    let mut text = String::new();
    let mut in_text = false;
    let mut in_item = false;
    let mut phonetic = 0u32;
    let mut overlong = false;
    let mut count = 0u32;
    loop {
        match xml.next()? {
            Event::Text(part) if in_text => text.push_str(&part.xml10_content()),
            Event::CData(part) if in_text => text.push_str(&part.xml10_content()),
            Event::GeneralRef(reference) if in_text => push_reference(&reference, &mut text),
            Event::Start(tag) => match tag.local_name().as_ref() {
                "si" => {
                    in_item = true;
                    text.clear();
                }
                "t" => in_text = in_item && phonetic == 0,
                "rPh" => phonetic += 1,
                _ => {}
            },
            Event::Empty(tag) => match tag.local_name().as_ref() {
                "si" => texts.push("")?,
                "sst" => break,
                _ => {}
            },
            Event::End(tag) => match tag.local_name().as_ref() {
                "t" => in_text = false,
                "rPh" => phonetic = phonetic.saturating_sub(1),
                "si" if in_item => {
                    in_item = false;
                    if overlong | xml.take_cut() {
                        texts.push_overlong()?;
                    } else {
                        texts.push(&text)?;
                    }
                    overlong = false;
                    count = count.wrapping_add(1);
                    if count.is_multiple_of(4096) {
                        options.check_cancelled()?;
                    }
                }
                "sst" => break,
                _ => {}
            },
            Event::Eof => {
                return Err(TableError::FileTruncated { sheet: None, row: None });
            }
            _ => {}
        }
        if text.len() as u64 > limits.cell_bytes {
            overlong = true;
            text.clear();
        }
    }
    xml.drain()?;
    texts.close()
}
