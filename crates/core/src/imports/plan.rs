//! Before the rows: what the file is, where its headings are, what its columns fill.

use std::path::{Path, PathBuf};

use aftercare_domain::error_code::ErrorCode;
use aftercare_tabular::{Row, Table};
use rusqlite::Connection;
use uuid::Uuid;

use super::fields::Field;
use super::headings::{self, Headings, SURE};
use super::profiles;
use super::requests::{ColumnChoice, ProfileInfo};
use super::rows::Layout;
use super::source;
use super::words;
use crate::app::jobs::Progress;
use crate::error::{Error, Result};

/// Enough numbers with leading zeros to say that this file writes them so.
const ZERO_LED: usize = 2;

/// An opened file whose columns are understood.
pub struct Plan {
    /// Before its first row.
    pub table: Table,
    /// Where it lies.
    pub path: PathBuf,
    /// Its first rows.
    pub sample: Vec<Row>,
    /// Its headings with what they were taken for.
    pub headings: Headings,
    /// The profile that matched them.
    pub profile: Option<ProfileInfo>,
}

/// How to match the columns.
pub enum Matching<'a> {
    /// As a person chose.
    Chosen(&'a [ColumnChoice]),
    /// By this profile.
    Profile(Uuid),
    /// By a profile with these headings, else by the dictionary.
    Recognised,
}

/// Opens a file and understands its columns.
///
/// Errors: every reason why the file cannot be read; `NoHeadings`; `NotFound` for an unknown profile.
pub fn open(
    connection: &Connection,
    path: &Path,
    sheet: Option<usize>,
    matching: &Matching<'_>,
    progress: &Progress,
) -> Result<Plan> {
    let mut table = source::open(path, sheet, progress)?;
    let sample = source::sample(&mut table, source::SAMPLE_ROWS)?;
    let mut headings = headings::find(&sample).ok_or_else(|| Error::new(ErrorCode::NoHeadings))?;
    words::drop_report_columns(&mut headings.columns);
    let mut profile = None;
    match matching {
        Matching::Chosen(choices) => profiles::choose(&mut headings.columns, choices)?,
        Matching::Profile(id) => {
            let found = profiles::by_id(connection, *id)?.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
            found.apply(&mut headings.columns);
            profile = Some(found.info);
        }
        Matching::Recognised => {
            if let Some(found) = profiles::recognised(connection, &headings.columns)? {
                found.apply(&mut headings.columns);
                profile = Some(found.info);
            }
        }
    }
    Ok(Plan { table, path: path.to_owned(), sample, headings, profile })
}

impl Plan {
    /// The columns that are sure enough to be used.
    pub fn layout(&self) -> Layout {
        let columns = self.headings.columns.iter().filter(|column| column.confidence >= SURE);
        let columns = columns.filter_map(|column| Some((column.index, column.field?))).collect();
        Layout::new(&self.headings, columns)
    }

    /// What is needed and has no column: `name`, `identity`.
    pub fn missing(&self, layout: &Layout) -> Vec<&'static str> {
        let mut missing = Vec::new();
        if layout.column_of(Field::Name).is_none() {
            missing.push("name");
        }
        if !layout.columns.iter().any(|(_, field)| field.is_identity()) {
            missing.push("identity");
        }
        missing
    }

    /// How long hospital numbers are in this file: when several begin with 0, all those have one length, and
    /// nothing is longer, then shorter numbers have lost their zeros.
    pub fn mrn_width(&self, layout: &Layout) -> Option<usize> {
        let column = layout.column_of(Field::Mrn)?;
        let data = self.sample.iter().filter(|row| !layout.is_heading(row) && layout.left_out(row).is_none());
        let numbers: Vec<String> = data
            .map(|row| aftercare_domain::cell_text::half_width(&row.cell(column).to_text()))
            .map(|text| aftercare_domain::cell_text::unguard(&text).to_owned())
            .filter(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()))
            .collect();
        let width = numbers.iter().map(String::len).max()?;
        let mut led = numbers.iter().filter(|number| number.starts_with('0') && number.len() > 1);
        let count = led.clone().count();
        (count >= ZERO_LED && led.all(|number| number.len() == width)).then_some(width)
    }

    /// The file's name without its folder.
    pub fn file_name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}
