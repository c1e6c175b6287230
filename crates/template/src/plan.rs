//! What a sheet asks for: its placeholders, checked, and the rows to repeat.

use std::collections::BTreeMap;

use crate::cells::Parsed;
use crate::rows::{Band, LAST_ROW, RowMap, cell_name};
use crate::{Data, Place, Table, TemplateError};

/// A text cut at its placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bit {
    Text(String),
    /// A value of its own.
    Single(String),
    /// A field of the table that the row repeats.
    Field(usize),
}

/// What is put into a cell.
pub(crate) type Bits = Vec<Bit>;

/// A sheet's work.
pub(crate) struct Plan {
    /// By row and column.
    pub cells: BTreeMap<(u32, u32), Bits>,
    pub map: RowMap,
    /// The table of each band of the map.
    pub tables: Vec<String>,
    pub placeholders: usize,
}

/// A part of a text between `{{` and `}}`, or what lies between such parts.
enum Raw<'t> {
    Text(&'t str),
    Mark(&'t str),
}

fn cut(text: &str) -> Option<Vec<Raw<'_>>> {
    let mut raws = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        let (before, after) = rest.split_at(at);
        if before.contains("}}") {
            return None;
        }
        let (name, behind) = after.get(2..)?.split_once("}}")?;
        if name.contains('{') || name.contains('}') || name.trim().is_empty() {
            return None;
        }
        if !before.is_empty() {
            raws.push(Raw::Text(before));
        }
        raws.push(Raw::Mark(name.trim()));
        rest = behind;
    }
    if rest.contains("}}") {
        return None;
    }
    if !rest.is_empty() {
        raws.push(Raw::Text(rest));
    }
    Some(raws)
}

/// A block whose end is looked for.
struct Opened {
    table: String,
    at: Place,
    row: u32,
}

/// Rows to repeat, before it is known which marks stand alone.
struct Block {
    table: String,
    at: Place,
    from: u32,
    to: u32,
    by_marks: bool,
}

struct Reading<'d> {
    sheet: &'d str,
    data: &'d Data,
    opened: Option<Opened>,
    blocks: Vec<Block>,
    seen: BTreeMap<String, String>,
    placeholders: usize,
}

impl Plan {
    pub fn of(sheet: &str, parsed: &Parsed<'_>, data: &Data) -> Result<Self, TemplateError> {
        let mut reading =
            Reading { sheet, data, opened: None, blocks: Vec::new(), seen: BTreeMap::new(), placeholders: 0 };
        let mut found: BTreeMap<(u32, u32), Vec<Raw<'_>>> = BTreeMap::new();
        for row in &parsed.rows {
            for cell in &row.cells {
                let place = || Place { sheet: sheet.to_owned(), cell: cell.name(row.number) };
                if cell.formula.as_ref().is_some_and(|formula| formula.text.contains("{{")) {
                    return Err(TemplateError::Broken { at: place() });
                }
                let Some(text) =
                    cell.text.as_deref().filter(|text| text.contains("{{") || text.contains("}}"))
                else {
                    continue;
                };
                let raws = cut(text).ok_or_else(|| TemplateError::Broken { at: place() })?;
                for raw in &raws {
                    if let Raw::Mark(mark) = raw {
                        reading.mark(mark, place(), row.number)?;
                    }
                }
                found.insert((row.number, cell.column), raws);
            }
        }
        reading.done()?;
        let placeholders = reading.placeholders;
        let blocks = std::mem::take(&mut reading.blocks);
        let (map, tables) = reading.bands(&blocks, parsed, &found)?;
        let mut cells = BTreeMap::new();
        for ((row, column), raws) in &found {
            let band = map.bands().iter().position(|band| (band.first..=band.last).contains(row));
            let table = band.and_then(|band| tables.get(band)).map(String::as_str);
            cells.insert((*row, *column), reading.bits(raws, table, *row, *column)?);
        }
        Ok(Self { cells, map, tables, placeholders })
    }

    /// The table that a band repeats for.
    pub fn table<'d>(&self, band: &Band, data: &'d Data) -> Option<&'d Table> {
        let place = self.map.bands().iter().position(|one| one == band)?;
        data.tables.get(self.tables.get(place)?.as_str())
    }
}

impl Reading<'_> {
    /// Takes the marks in the order of rows and columns.
    fn mark(&mut self, mark: &str, at: Place, row: u32) -> Result<(), TemplateError> {
        self.placeholders += 1;
        let unknown =
            |name: &str, at: &Place| TemplateError::Unknown { at: at.clone(), name: name.to_owned() };
        if let Some(name) = mark.strip_prefix('#').map(str::trim) {
            if !self.data.tables.contains_key(name) {
                return Err(unknown(name, &at));
            }
            if let Some(outer) = &self.opened {
                return Err(match outer.table == name {
                    true => {
                        TemplateError::Doubled { at, first: outer.at.cell.clone(), name: name.to_owned() }
                    }
                    false => TemplateError::Nested { at, name: name.to_owned(), within: outer.table.clone() },
                });
            }
            self.opened = Some(Opened { table: name.to_owned(), at, row });
        } else if let Some(name) = mark.strip_prefix('/').map(str::trim) {
            match self.opened.take() {
                Some(opened) if opened.table == name => {
                    let Opened { table, at, row: from } = opened;
                    self.blocks.push(Block { table, at, from, to: row, by_marks: true });
                }
                Some(opened) => {
                    return Err(TemplateError::NotClosed { at: opened.at, name: opened.table });
                }
                None => return Err(TemplateError::NotOpened { at, name: name.to_owned() }),
            }
        } else if self.opened.is_none()
            && !self.data.singles.contains_key(mark)
            && let Some((table, _)) = mark.split_once('.')
            && self.data.tables.contains_key(table)
        {
            let block = self.blocks.iter().find(|block| (block.from..=block.to).contains(&row));
            match block {
                Some(block) if block.table != table => {
                    return Err(TemplateError::Nested {
                        at,
                        name: table.to_owned(),
                        within: block.table.clone(),
                    });
                }
                Some(_) => {}
                None => self.blocks.push(Block {
                    table: table.to_owned(),
                    at,
                    from: row,
                    to: row,
                    by_marks: false,
                }),
            }
        }
        Ok(())
    }

    fn done(&mut self) -> Result<(), TemplateError> {
        match self.opened.take() {
            Some(opened) => Err(TemplateError::NotClosed { at: opened.at, name: opened.table }),
            None => Ok(()),
        }
    }

    fn bands(
        &self,
        blocks: &[Block],
        parsed: &Parsed<'_>,
        found: &BTreeMap<(u32, u32), Vec<Raw<'_>>>,
    ) -> Result<(RowMap, Vec<String>), TemplateError> {
        // A row with nothing but block marks goes away.
        let only_marks = |number: u32| {
            let Some(row) = parsed.rows.iter().find(|row| row.number == number) else { return false };
            row.cells.iter().filter(|cell| !cell.blank).all(|cell| {
                let raws = found.get(&(number, cell.column));
                raws.is_some_and(|raws| {
                    raws.iter().all(|raw| match raw {
                        Raw::Mark(mark) => mark.starts_with(['#', '/']),
                        Raw::Text(text) => text.trim().is_empty(),
                    })
                })
            })
        };
        let mut bands = Vec::new();
        let mut tables = Vec::new();
        for block in blocks {
            let first = if block.by_marks && only_marks(block.from) { block.from + 1 } else { block.from };
            let last =
                if block.by_marks && only_marks(block.to) { block.to.saturating_sub(1) } else { block.to };
            let fields = found.range((first, 0)..=(last.max(first), u32::MAX)).flat_map(|(_, raws)| raws);
            let has_field =
                fields.into_iter().any(|raw| matches!(raw, Raw::Mark(mark) if !mark.starts_with(['#', '/'])));
            if first > last || !has_field {
                return Err(TemplateError::EmptyBlock { at: block.at.clone(), name: block.table.clone() });
            }
            let previous_end = bands.last().map_or(0, |band: &Band| band.end);
            if block.from <= previous_end {
                let within = tables.last().cloned().unwrap_or_default();
                return Err(TemplateError::Nested {
                    at: block.at.clone(),
                    name: block.table.clone(),
                    within,
                });
            }
            let lines = self.data.tables.get(block.table.as_str()).map_or(0, |table| table.lines.len());
            let copies = u32::try_from(lines.max(1)).unwrap_or(u32::MAX);
            bands.push(Band { start: block.from, first, last, end: block.to, copies });
            tables.push(block.table.clone());
        }
        let rows = parsed.rows.last().map_or(0, |row| u64::from(row.number));
        let added: u64 = bands.iter().map(|band| u64::from(band.length()) * u64::from(band.copies)).sum();
        if rows + added > u64::from(LAST_ROW) {
            return Err(TemplateError::TooManyRows { sheet: self.sheet.to_owned() });
        }
        Ok((RowMap::new(bands), tables))
    }

    /// What a cell's placeholders stand for.
    fn bits(
        &mut self,
        raws: &[Raw<'_>],
        table: Option<&str>,
        row: u32,
        column: u32,
    ) -> Result<Bits, TemplateError> {
        let mut bits = Vec::new();
        for raw in raws {
            match raw {
                Raw::Text(text) => bits.push(Bit::Text((*text).to_owned())),
                Raw::Mark(mark) if mark.starts_with(['#', '/']) => {}
                Raw::Mark(mark) => bits.push(self.bit(mark, table, row, column)?),
            }
        }
        Ok(bits)
    }

    fn bit(&mut self, mark: &str, table: Option<&str>, row: u32, column: u32) -> Result<Bit, TemplateError> {
        let cell = cell_name(column, row);
        let at = Place { sheet: self.sheet.to_owned(), cell: cell.clone() };
        let field = table.and_then(|name| {
            let own = mark.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')).unwrap_or(mark);
            let place = self.data.tables.get(name)?.fields.iter().position(|field| *field == own)?;
            Some((place, format!("{name}#{row}.{own}")))
        });
        let (bit, key, repeats) = match field {
            Some((place, key)) => (Bit::Field(place), key, false),
            None => {
                let single = self.data.singles.get(mark);
                let single =
                    single.ok_or_else(|| TemplateError::Unknown { at: at.clone(), name: mark.to_owned() })?;
                (Bit::Single(mark.to_owned()), mark.to_owned(), single.repeats)
            }
        };
        match self.seen.get(&key).filter(|_| !repeats) {
            Some(first) => Err(TemplateError::Doubled { at, first: first.clone(), name: mark.to_owned() }),
            None => {
                self.seen.insert(key, cell);
                Ok(bit)
            }
        }
    }
}
