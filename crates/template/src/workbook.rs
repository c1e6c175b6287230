//! The workbook's own parts: which sheets there are, shared texts, styles, names; and the parts that hang on sheets.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use crate::TemplateError;
use crate::formula::Seat;
use crate::package::Package;
use crate::refit::Refit;
use crate::rows::{Maps, RowMap};
use crate::xml::{Kind, Tag, Unreadable, pieces};

/// A sheet with cells.
pub(crate) struct SheetPart {
    pub name: String,
    pub part: String,
}

pub(crate) struct Workbook {
    part: String,
    pub sheets: Vec<SheetPart>,
    /// Shared texts.
    pub texts: Vec<String>,
    /// For each style whether it shows numbers as dates.
    pub dates: Vec<bool>,
    calc_chain: Option<String>,
}

/// A relationship of a part.
struct Relation {
    id: String,
    kind: String,
    target: String,
}

const CONTENT_TYPES: &str = "[Content_Types].xml";

/// The part that lists what `part` relates to.
fn rels_of(part: &str) -> String {
    let (folder, name) = part.rsplit_once('/').unwrap_or(("", part));
    if folder.is_empty() { format!("_rels/{name}.rels") } else { format!("{folder}/_rels/{name}.rels") }
}

/// A target as the package names it.
fn resolved(part: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut folders: Vec<&str> = part.split('/').collect();
    folders.pop();
    for step in target.split('/') {
        match step {
            "." | "" => {}
            ".." => drop(folders.pop()),
            step => folders.push(step),
        }
    }
    folders.join("/")
}

fn relations<R: Read + Seek>(package: &mut Package<R>, part: &str) -> Result<Vec<Relation>, TemplateError> {
    let name = rels_of(part);
    let Some(bytes) = package.find(&name)? else { return Ok(Vec::new()) };
    let damaged = |_: Unreadable| TemplateError::damaged(&name);
    let mut found = Vec::new();
    for piece in pieces(&bytes).map_err(damaged)? {
        if !matches!(piece.kind, Kind::Start("Relationship", _)) {
            continue;
        }
        let tag = Tag::read(bytes.get(piece.span).unwrap_or_default()).map_err(damaged)?;
        if tag.local("TargetMode").as_deref() == Some("External") {
            continue;
        }
        let [id, kind, target] = ["Id", "Type", "Target"].map(|key| tag.local(key).unwrap_or_default());
        let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
        found.push(Relation { id, kind, target: resolved(part, &target) });
    }
    Ok(found)
}

impl Workbook {
    pub fn read<R: Read + Seek>(package: &mut Package<R>) -> Result<Self, TemplateError> {
        let types = package.find(CONTENT_TYPES)?.ok_or(TemplateError::NotWorkbook)?;
        if String::from_utf8_lossy(&types).contains("macroEnabled") {
            return Err(TemplateError::Macros);
        }
        let root = relations(package, "")?;
        let part = root.into_iter().find(|one| one.kind == "officeDocument").map(|one| one.target);
        let part = part
            .filter(|part| part.ends_with(".xml") && package.has(part))
            .ok_or(TemplateError::NotWorkbook)?;
        let related = relations(package, &part)?;
        let target = |kind: &str| related.iter().find(|one| one.kind == kind).map(|one| one.target.clone());
        let bytes = package.read(&part)?;
        let damaged = |_: Unreadable| TemplateError::damaged(&part);
        let mut sheets = Vec::new();
        let mut is_workbook = false;
        for piece in pieces(&bytes).map_err(damaged)? {
            is_workbook |= matches!(piece.kind, Kind::Start("workbook", _));
            if !matches!(piece.kind, Kind::Start("sheet", _)) {
                continue;
            }
            let tag = Tag::read(bytes.get(piece.span).unwrap_or_default()).map_err(damaged)?;
            let (name, id) = (tag.local("name").unwrap_or_default(), tag.local("id").unwrap_or_default());
            // Sheets of nothing but a chart have no cells.
            let relation = related.iter().find(|one| one.id == id && one.kind == "worksheet");
            if let Some(relation) = relation {
                sheets.push(SheetPart { name, part: relation.target.clone() });
            }
        }
        if !is_workbook || sheets.is_empty() {
            return Err(TemplateError::NotWorkbook);
        }
        let texts = target("sharedStrings").map_or(Ok(Vec::new()), |part| texts(package, &part))?;
        let dates = target("styles").map_or(Ok(Vec::new()), |part| dates(package, &part))?;
        Ok(Self { part, sheets, texts, dates, calc_chain: target("calcChain") })
    }

    /// Parts that must go, in lower case: the order of calculation names cells that are elsewhere now.
    pub fn dropped(&self, maps: &Maps) -> BTreeSet<String> {
        let moving = maps.values().any(|map| !map.is_still());
        self.calc_chain.iter().filter(|_| moving).map(|part| part.to_lowercase()).collect()
    }
}

fn texts<R: Read + Seek>(package: &mut Package<R>, part: &str) -> Result<Vec<String>, TemplateError> {
    let bytes = package.read(part)?;
    let mut texts: Vec<String> = Vec::new();
    let (mut inside, mut phonetic) = (false, false);
    for piece in pieces(&bytes).map_err(|_| TemplateError::damaged(part))? {
        match piece.kind {
            Kind::Start("si", _) => texts.push(String::new()),
            Kind::Start("t", empty) => inside = !empty,
            Kind::End("t") => inside = false,
            Kind::Start("rPh", empty) => phonetic = !empty,
            Kind::End("rPh") => phonetic = false,
            Kind::Text(text) if inside && !phonetic => {
                if let Some(last) = texts.last_mut() {
                    last.push_str(&text);
                }
            }
            _ => {}
        }
    }
    Ok(texts)
}

fn dates<R: Read + Seek>(package: &mut Package<R>, part: &str) -> Result<Vec<bool>, TemplateError> {
    let bytes = package.read(part)?;
    let damaged = |_: Unreadable| TemplateError::damaged(part);
    let mut own: BTreeMap<u32, bool> = BTreeMap::new();
    let mut dates = Vec::new();
    let mut in_cells = false;
    for piece in pieces(&bytes).map_err(damaged)? {
        match piece.kind {
            Kind::Start("cellXfs", empty) => in_cells = !empty,
            Kind::End("cellXfs") => in_cells = false,
            Kind::Start(name @ ("numFmt" | "xf"), _) => {
                let tag = Tag::read(bytes.get(piece.span).unwrap_or_default()).map_err(damaged)?;
                let id = tag.local("numFmtId").and_then(|id| id.parse().ok()).unwrap_or(0);
                if name == "numFmt" {
                    own.insert(id, is_date(&tag.local("formatCode").unwrap_or_default()));
                } else if in_cells {
                    // Built-in formats of dates; 27 to 36 and 50 to 58 are those of Chinese Excel.
                    let built_in = matches!(id, 14..=17 | 22 | 27..=36 | 50..=58);
                    dates.push(own.get(&id).copied().unwrap_or(built_in));
                }
            }
            _ => {}
        }
    }
    Ok(dates)
}

/// Whether a format shows years, months or days outside of quotation marks and brackets.
fn is_date(format: &str) -> bool {
    let (mut quoted, mut bracketed, mut skipped) = (false, false, false);
    format.chars().any(|c| {
        if std::mem::take(&mut skipped) {
            return false;
        }
        match c {
            '\\' | '_' | '*' => skipped = true,
            '"' => quoted = !quoted,
            '[' => bracketed = true,
            ']' => bracketed = false,
            _ => {}
        }
        !quoted && !bracketed && matches!(c, 'y' | 'Y' | 'd' | 'D' | 'm' | 'M')
    })
}

/// Refits the parts beside the sheets.
pub(crate) fn refit<R: Read + Seek>(
    package: &mut Package<R>,
    book: &Workbook,
    maps: &Maps,
    changed: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), TemplateError> {
    let bytes = package.read(&book.part)?;
    let workbook =
        calculating(&refitted(&book.part, &bytes, &RowMap::default(), "", maps, true)?, &book.part)?;
    changed.insert(book.part.clone(), workbook);
    retype(package, book, maps, changed)?;
    if maps.values().all(RowMap::is_still) {
        return Ok(());
    }
    for chart in package.under("xl/charts/") {
        if chart.ends_with(".xml")
            && !chart.contains("/style")
            && !chart.contains("/colors")
            && !chart.contains("_rels")
        {
            let bytes = package.read(&chart)?;
            let new = refitted(&chart, &bytes, &RowMap::default(), "", maps, true)?;
            changed.insert(chart, new);
        }
    }
    for sheet in &book.sheets {
        let name = sheet.name.to_lowercase();
        let Some(map) = maps.get(&name).filter(|map| !map.is_still()) else { continue };
        for relation in relations(package, &sheet.part)? {
            let part = relation.target;
            let new = match relation.kind.as_str() {
                "table" | "comments" | "threadedComment" => {
                    let bytes = package.read(&part)?;
                    refitted(&part, &bytes, map, &name, maps, false)?
                }
                "drawing" => anchored(&part, &package.read(&part)?, map)?,
                "vmlDrawing" => notes(&package.read(&part)?, map),
                _ => continue,
            };
            changed.insert(part, new);
        }
    }
    Ok(())
}

/// A part with what refers to moved rows rewritten.
fn refitted(
    part: &str,
    bytes: &[u8],
    map: &RowMap,
    sheet: &str,
    maps: &Maps,
    lists: bool,
) -> Result<Vec<u8>, TemplateError> {
    let damaged = || TemplateError::damaged(part);
    let pieces = pieces(bytes).map_err(|_| damaged())?;
    let seat = Seat { maps, sheet, copy: None, widen: true };
    let nothing = |_: &str| None;
    let refit = Refit { map, seat, lists, single: &nothing };
    let mut out = Vec::with_capacity(bytes.len());
    refit.write(bytes, &pieces, 0..bytes.len(), &mut out).map_err(|_| damaged())?;
    Ok(out)
}

/// The workbook asks to be calculated when it is opened.
fn calculating(bytes: &[u8], part: &str) -> Result<Vec<u8>, TemplateError> {
    let damaged = |_: Unreadable| TemplateError::damaged(part);
    let pieces = pieces(bytes).map_err(damaged)?;
    let existing = pieces.iter().find(|piece| matches!(piece.kind, Kind::Start("calcPr", _)));
    if let Some(piece) = existing {
        let mut tag = Tag::read(bytes.get(piece.span.clone()).unwrap_or_default()).map_err(damaged)?;
        tag.set("fullCalcOnLoad", "1");
        let mut out = bytes.get(..piece.span.start).unwrap_or_default().to_vec();
        tag.write_same(&mut out);
        out.extend_from_slice(bytes.get(piece.span.end..).unwrap_or_default());
        return Ok(out);
    }
    // Behind the last of these, as the schema orders them.
    let before = ["sheets", "functionGroups", "externalReferences", "definedNames"];
    let ends =
        |kind: &Kind<'_>| matches!(kind, Kind::End(name) | Kind::Start(name, true) if before.contains(name));
    let last = pieces.iter().rev().find(|piece| ends(&piece.kind));
    let piece = last.ok_or_else(|| TemplateError::damaged(part))?;
    let raw = String::from_utf8_lossy(bytes.get(piece.span.clone()).unwrap_or_default()).into_owned();
    let prefix = raw
        .trim_start_matches(['<', '/'])
        .split_once(':')
        .map_or(String::new(), |(prefix, _)| format!("{prefix}:"));
    let mut out = bytes.get(..piece.span.end).unwrap_or_default().to_vec();
    out.extend_from_slice(format!("<{prefix}calcPr fullCalcOnLoad=\"1\"/>").as_bytes());
    out.extend_from_slice(bytes.get(piece.span.end..).unwrap_or_default());
    Ok(out)
}

/// Takes the order of calculation out of the lists of parts, and makes a workbook of an .xltx.
fn retype<R: Read + Seek>(
    package: &mut Package<R>,
    book: &Workbook,
    maps: &Maps,
    changed: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), TemplateError> {
    let dropped = book.dropped(maps);
    for list in [CONTENT_TYPES.to_owned(), rels_of(&book.part)] {
        let Some(bytes) = package.find(&list)? else { continue };
        let mut out = Vec::with_capacity(bytes.len());
        for piece in pieces(&bytes).map_err(|_| TemplateError::damaged(&list))? {
            let same = bytes.get(piece.span).unwrap_or_default();
            let Kind::Start("Override" | "Relationship", true) = piece.kind else {
                out.extend_from_slice(same);
                continue;
            };
            let tag = Tag::read(same).map_err(|_| TemplateError::damaged(&list))?;
            let name = tag.local("PartName").map(|name| resolved("", &name));
            let target = tag.local("Target").map(|target| resolved(&book.part, &target));
            if name.or(target).is_some_and(|part| dropped.contains(&part.to_lowercase())) {
                continue;
            }
            let text = String::from_utf8_lossy(same);
            out.extend_from_slice(
                text.replace("spreadsheetml.template.main+xml", "spreadsheetml.sheet.main+xml").as_bytes(),
            );
        }
        if out != bytes {
            changed.insert(list, out);
        }
    }
    Ok(())
}

/// A drawing whose anchors follow their rows; what it shows keeps its size.
fn anchored(part: &str, bytes: &[u8], map: &RowMap) -> Result<Vec<u8>, TemplateError> {
    let mut out = Vec::with_capacity(bytes.len());
    let (mut in_row, mut shift) = (false, 0_i64);
    let mut at_from = false;
    for piece in pieces(bytes).map_err(|_| TemplateError::damaged(part))? {
        let same = bytes.get(piece.span).unwrap_or_default();
        match &piece.kind {
            Kind::Start("from", _) => at_from = true,
            Kind::End("from") => at_from = false,
            Kind::Start("row", empty) => in_row = !empty,
            Kind::End("row") => in_row = false,
            Kind::Text(text) if in_row => {
                if let Ok(row) = text.trim().parse::<u32>() {
                    if at_from {
                        shift = i64::from(map.low(row + 1)) - i64::from(row + 1);
                    }
                    out.extend_from_slice((i64::from(row) + shift).max(0).to_string().as_bytes());
                    continue;
                }
            }
            _ => {}
        }
        out.extend_from_slice(same);
    }
    Ok(out)
}

/// The old drawing of notes: rows of its boxes and of the cells they belong to. It is not always well-formed XML.
fn notes(bytes: &[u8], map: &RowMap) -> Vec<u8> {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    for (open, close, places) in
        [("<x:Row>", "</x:Row>", &[0_usize][..]), ("<x:Anchor>", "</x:Anchor>", &[2, 6][..])]
    {
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some((before, inner, after)) = rest
            .split_once(open)
            .and_then(|(before, rest)| rest.split_once(close).map(|(i, a)| (before, i, a)))
        {
            let mut numbers: Vec<String> = inner.split(',').map(|number| number.trim().to_owned()).collect();
            let row_at =
                |numbers: &[String], place: usize| numbers.get(place).and_then(|n| n.parse::<u32>().ok());
            let shift = places
                .first()
                .and_then(|place| row_at(&numbers, *place))
                .map_or(0, |row| i64::from(map.low(row + 1)) - i64::from(row + 1));
            for place in places {
                if let Some((row, number)) = row_at(&numbers, *place).zip(numbers.get_mut(*place)) {
                    *number = (i64::from(row) + shift).max(0).to_string();
                }
            }
            out.push_str(before);
            out.push_str(open);
            out.push_str(&numbers.join(", "));
            out.push_str(close);
            rest = after;
        }
        out.push_str(rest);
        text = out;
    }
    text.into_bytes()
}
