//! Fills the placeholders of a workbook in place.
//!
//! The package's XML is patched rather than read into a model and written again: a library that does the latter loses what
//! it does not know (charts, pivot tables, extensions). Only cells with placeholders, repeated rows and what refers to rows
//! that moved are touched; every other byte of a part, and every other part, comes out as it went in.
//!
//! A cell may hold `{{month}}`, alone (the cell gets the value with its type) or within a text. A table is a block of rows
//! from `{{#departments}}` to `{{/departments}}` with `{{name}}` inside, or one row with `{{departments.name}}`; its rows are
//! repeated for each line, with styles, merged cells and formulas. What refers to moved rows follows, on every sheet, in
//! names, charts, tables and conditional formats: a sum over the row sums all its repetitions.
//!
//! What cannot be filled without doubt is a [`TemplateError`] that names sheet and cell, and nothing is written.

mod cells;
mod error;
mod formula;
mod package;
mod plan;
mod refit;
mod render;
mod rows;
mod workbook;
mod xml;

use std::collections::BTreeMap;
use std::io::{Read, Seek, Write};

pub use error::{Place, TemplateError};

/// A value with its type.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing: the cell stays empty.
    Empty,
    /// A text; never a formula.
    Text(String),
    /// A number.
    Number(f64),
    /// A part of a whole, 0.953; within a text "95.3%".
    Share(f64),
    /// A day: Excel's number of it, and how it reads within a text.
    Day(f64, String),
}

/// A value that stands for one placeholder.
#[derive(Debug, Clone, PartialEq)]
pub struct Single {
    /// What is put in.
    pub value: Value,
    /// Whether it may stand on a sheet more than once. A period may; the same figure in two cells is a slip of copying.
    pub repeats: bool,
}

/// Lines for repeated rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Names of the fields.
    pub fields: Vec<&'static str>,
    /// Lines, each with a value for each field.
    pub lines: Vec<Vec<Value>>,
}

/// Everything that placeholders can name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Data {
    /// Single values by name.
    pub singles: BTreeMap<String, Single>,
    /// Tables by name.
    pub tables: BTreeMap<&'static str, Table>,
}

/// How much of a template is accepted.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Parts of the package.
    pub parts: usize,
    /// Bytes that one part may unpack to.
    pub part_bytes: u64,
    /// Bytes that all parts that are read may unpack to.
    pub total_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        // A form for a monthly report has a few hundred kilobytes; with a year of the hospital's own sheets some tens of MB.
        Self { parts: 5_000, part_bytes: 24 << 20, total_bytes: 96 << 20 }
    }
}

/// What was filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filled {
    /// Cells that got a value.
    pub cells: u64,
    /// Rows that repetition added.
    pub rows: u64,
}

/// Fills `template` and writes the workbook to `out`. On an error what was written to `out` is of no use.
///
/// # Errors
/// A [`TemplateError`] that says what is wrong with the template and where.
pub fn fill(
    template: impl Read + Seek,
    data: &Data,
    limits: &Limits,
    out: impl Write + Seek,
) -> Result<Filled, TemplateError> {
    let mut package = package::Package::open(template, limits)?;
    let book = workbook::Workbook::read(&mut package)?;
    let mut filled = Filled::default();
    let mut sheets = Vec::with_capacity(book.sheets.len());
    for sheet in &book.sheets {
        let bytes = package.read(&sheet.part)?;
        sheets.push((sheet, bytes));
    }
    let mut planned = Vec::with_capacity(sheets.len());
    let mut placeholders = 0;
    for (sheet, bytes) in &sheets {
        let parsed =
            cells::Parsed::read(bytes, &book.texts).map_err(|_| TemplateError::damaged(&sheet.part))?;
        let plan = plan::Plan::of(&sheet.name, &parsed, data)?;
        placeholders += plan.placeholders;
        planned.push((*sheet, parsed, plan));
    }
    if placeholders == 0 {
        return Err(TemplateError::NoPlaceholder);
    }
    let maps: rows::Maps =
        planned.iter().map(|(sheet, _, plan)| (sheet.name.to_lowercase(), plan.map.clone())).collect();
    let mut changed = BTreeMap::new();
    for (sheet, parsed, plan) in &planned {
        let rendered = render::sheet(sheet, parsed, plan, &maps, data, &book.dates)?;
        filled.cells += rendered.cells;
        filled.rows += u64::from(plan.map.added());
        changed.insert(sheet.part.clone(), rendered.bytes);
    }
    workbook::refit(&mut package, &book, &maps, &mut changed)?;
    package.write(out, &changed, &book.dropped(&maps))?;
    Ok(filled)
}
