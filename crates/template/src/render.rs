//! Writes a sheet with its placeholders filled and its rows repeated.

use crate::cells::{CellXml, Formula, Parsed, RowXml};
use crate::formula::{self, Seat};
use crate::plan::{Bit, Plan};
use crate::refit::{Refit, Trouble, ranges_moved};
use crate::rows::{Band, Maps};
use crate::workbook::SheetPart;
use crate::xml::escaped;
use crate::{Data, Place, TemplateError, Value};

/// Characters of a cell (UTF-16 units), Excel's own limit.
const CELL_UNITS: usize = 32_767;

pub(crate) struct Rendered {
    pub bytes: Vec<u8>,
    pub cells: u64,
}

struct Writing<'a> {
    parsed: &'a Parsed<'a>,
    plan: &'a Plan,
    maps: &'a Maps,
    /// In lower case.
    sheet: String,
    data: &'a Data,
    /// Whether a style shows numbers as dates.
    dates: &'a [bool],
    /// Rows moved on some sheet: formulas are written anew.
    moving: bool,
    out: Vec<u8>,
    cells: u64,
}

/// One repetition of a band, with the line that fills it.
#[derive(Clone, Copy)]
struct Copy<'a> {
    band: &'a Band,
    number: u32,
    line: Option<&'a [Value]>,
}

pub(crate) fn sheet(
    sheet: &SheetPart,
    parsed: &Parsed<'_>,
    plan: &Plan,
    maps: &Maps,
    data: &Data,
    dates: &[bool],
) -> Result<Rendered, TemplateError> {
    let moving = maps.values().any(|map| !map.is_still());
    let mut writing = Writing {
        parsed,
        plan,
        maps,
        sheet: sheet.name.to_lowercase(),
        data,
        dates,
        moving,
        out: Vec::with_capacity(parsed.bytes.len() * 2),
        cells: 0,
    };
    writing.around(parsed.head.clone(), sheet)?;
    writing.rows().map_err(|()| TemplateError::damaged(&sheet.part))?;
    writing.around(parsed.tail.clone(), sheet)?;
    Ok(Rendered { bytes: writing.out, cells: writing.cells })
}

impl Writing<'_> {
    fn around(&mut self, range: std::ops::Range<usize>, sheet: &SheetPart) -> Result<(), TemplateError> {
        let single = |name: &str| self.data.singles.get(name).map(|single| shown(&single.value));
        let seat = Seat { maps: self.maps, sheet: &self.sheet, copy: None, widen: false };
        let refit = Refit { map: &self.plan.map, seat, lists: false, single: &single };
        refit.write(self.parsed.bytes, &self.parsed.pieces, range, &mut self.out).map_err(|trouble| {
            match trouble {
                Trouble::Unreadable => TemplateError::damaged(&sheet.part),
                Trouble::Unknown(header, name) => {
                    let at = Place { sheet: sheet.name.clone(), cell: header.to_owned() };
                    TemplateError::Unknown { at, name }
                }
            }
        })
    }

    fn rows(&mut self) -> Result<(), ()> {
        let mut rows = self.parsed.rows.iter().peekable();
        while let Some(row) = rows.next() {
            let bands = self.plan.map.bands();
            let Some(band) = bands.iter().find(|band| (band.start..=band.end).contains(&row.number)) else {
                self.row(row, self.plan.map.low(row.number), None)?;
                continue;
            };
            let mut repeated = vec![row];
            while let Some(next) = rows.next_if(|next| next.number <= band.end) {
                repeated.push(next);
            }
            repeated.retain(|row| (band.first..=band.last).contains(&row.number));
            let table = self.plan.table(band, self.data);
            for number in 0..band.copies {
                let line = table.and_then(|table| table.lines.get(number as usize)).map(Vec::as_slice);
                for row in &repeated {
                    let at = self.plan.map.low(row.number) + band.length() * number;
                    self.row(row, at, Some(Copy { band, number, line }))?;
                }
            }
        }
        Ok(())
    }

    fn row(&mut self, row: &RowXml, at: u32, copy: Option<Copy<'_>>) -> Result<(), ()> {
        let touched = |cell: &CellXml| {
            cell.formula.is_some() || self.plan.cells.contains_key(&(row.number, cell.column))
        };
        if at == row.number && !row.cells.iter().any(touched) {
            self.out.extend_from_slice(self.parsed.slice(&row.span));
            return Ok(());
        }
        let mut tag = row.tag.clone();
        tag.set("r", &at.to_string());
        if row.cells.is_empty() {
            tag.write(&mut self.out, true);
            return Ok(());
        }
        tag.write(&mut self.out, false);
        for cell in &row.cells {
            self.cell(row, cell, at, copy)?;
        }
        tag.write_end(&mut self.out);
        Ok(())
    }

    fn cell(&mut self, row: &RowXml, cell: &CellXml, at: u32, copy: Option<Copy<'_>>) -> Result<(), ()> {
        if let Some(bits) = self.plan.cells.get(&(row.number, cell.column)) {
            let value = self.value(bits, copy.and_then(|copy| copy.line));
            self.filled(cell, at, &value);
            self.cells += 1;
            return Ok(());
        }
        let mut tag = cell.tag.clone();
        tag.set("r", &cell.name(at));
        if let Some(formula) = &cell.formula {
            // Without what it came to before: whoever opens it calculates.
            tag.remove("t");
            tag.remove("vm");
            tag.write(&mut self.out, false);
            self.formula(formula, row.number, at, copy);
            tag.write_end(&mut self.out);
        } else if at == row.number {
            self.out.extend_from_slice(self.parsed.slice(&cell.span));
        } else {
            tag.write_same(&mut self.out);
            self.out.extend_from_slice(self.parsed.slice(&cell.inner));
        }
        Ok(())
    }

    fn formula(&mut self, formula: &Formula, row: u32, at: u32, copy: Option<Copy<'_>>) {
        if !self.moving {
            self.out.extend_from_slice(self.parsed.slice(&formula.span));
            return;
        }
        let copy = copy.map(|copy| (copy.band, copy.number));
        let seat = Seat { maps: self.maps, sheet: &self.sheet, copy, widen: true };
        let text = formula::moved(&formula.text, &seat);
        let mut tag = formula.tag.clone();
        if tag.get("t") == Some("shared") {
            ["t", "ref", "si"].into_iter().for_each(|key| tag.remove(key));
        } else if let Some(reference) = tag.get("ref").map(str::to_owned) {
            // An array formula within repeated rows covers its own repetition.
            let moved = match copy {
                Some(_) => formula::shifted(&reference, i64::from(at) - i64::from(row), 0),
                None => ranges_moved(&reference, &self.plan.map),
            };
            tag.set("ref", &moved);
        }
        if text.is_empty() {
            tag.write(&mut self.out, true);
        } else {
            tag.write(&mut self.out, false);
            self.out.extend_from_slice(escaped(&text).as_bytes());
            tag.write_end(&mut self.out);
        }
    }

    /// What a cell's placeholders come to: alone the value itself, else a text.
    fn value(&self, bits: &[Bit], line: Option<&[Value]>) -> Value {
        let of = |bit: &Bit| match bit {
            Bit::Text(text) => Value::Text(text.clone()),
            Bit::Single(name) => {
                self.data.singles.get(name).map_or(Value::Empty, |single| single.value.clone())
            }
            Bit::Field(place) => line.and_then(|line| line.get(*place)).cloned().unwrap_or(Value::Empty),
        };
        match bits {
            [] => Value::Empty,
            [bit] => of(bit),
            bits => Value::Text(bits.iter().map(|bit| shown(&of(bit))).collect()),
        }
    }

    fn filled(&mut self, cell: &CellXml, at: u32, value: &Value) {
        let mut tag = cell.tag.clone();
        tag.set("r", &cell.name(at));
        ["t", "vm", "cm"].into_iter().for_each(|key| tag.remove(key));
        let style = tag.get("s").and_then(|style| style.parse::<usize>().ok()).unwrap_or(0);
        let as_date = self.dates.get(style).copied().unwrap_or(false);
        let number = match value {
            Value::Number(number) | Value::Share(number) => Some(*number),
            Value::Day(serial, _) if as_date => Some(*serial),
            _ => None,
        };
        let prefix = tag.prefix().to_owned();
        if let Some(number) = number.filter(|number| number.is_finite()) {
            tag.write(&mut self.out, false);
            self.out.extend_from_slice(format!("<{prefix}v>{number}</{prefix}v>").as_bytes());
            tag.write_end(&mut self.out);
            return;
        }
        let text = fitting(&shown(value));
        if text.is_empty() {
            return tag.write(&mut self.out, true);
        }
        tag.set("t", "inlineStr");
        tag.write(&mut self.out, false);
        let text = escaped(&text);
        let inline = format!("<{prefix}is><{prefix}t xml:space=\"preserve\">{text}</{prefix}t></{prefix}is>");
        self.out.extend_from_slice(inline.as_bytes());
        tag.write_end(&mut self.out);
    }
}

/// As much of a text as a cell holds.
fn fitting(text: &str) -> String {
    let mut units = 0;
    let fits = |c: &char| {
        units += c.len_utf16();
        units <= CELL_UNITS
    };
    text.chars().take_while(fits).collect()
}

/// A value within a text.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Empty => String::new(),
        Value::Text(text) | Value::Day(_, text) => text.clone(),
        Value::Number(number) if number.fract() == 0.0 => format!("{number:.0}"),
        Value::Number(number) => format!("{number:.2}"),
        Value::Share(share) => format!("{:.1}%", share * 100.0),
    }
}
