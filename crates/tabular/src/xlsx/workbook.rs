//! The workbook part: which sheets there are and where, and what the cell formats are.

use std::collections::HashMap;

use quick_xml::events::Event;

use crate::TableError;
use crate::limits::Limits;
use crate::number::{Epoch, NumberKind};
use crate::table::Sheet;
use crate::xlsx::package::{Package, normal_name};
use crate::xlsx::xml::{XmlReader, attribute};

/// What the workbook part and its relations say.
pub(crate) struct Workbook {
    pub(crate) sheets: Vec<Sheet>,
    /// The part of each sheet.
    pub(crate) sheet_parts: Vec<String>,
    pub(crate) shared_strings: Option<String>,
    pub(crate) styles: Option<String>,
    pub(crate) epoch: Epoch,
}

/// One entry of a `.rels` part.
pub(crate) struct Relation {
    id: String,
    /// The last word of its type, such as `worksheet`.
    kind: String,
    target: String,
}

/// Relations beyond this are of no use to anybody.
const MOST_RELATIONS: usize = 20_000;

/// The relations of a part; of the package itself for an empty name. None if there are none.
pub(crate) fn relations(package: &Package, part: &str, limits: &Limits) -> Result<Vec<Relation>, TableError> {
    let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
    let name =
        if folder.is_empty() { format!("_rels/{file}.rels") } else { format!("{folder}/_rels/{file}.rels") };
    let mut found = Vec::new();
    if !package.has(&name) {
        return Ok(found);
    }
    let mut xml = XmlReader::new(package.read(&name, "relations")?, "relations", limits);
    loop {
        match xml.next()? {
            Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == "Relationship" => {
                let (Some(id), Some(kind), Some(target)) =
                    (attribute(&tag, "Id"), attribute(&tag, "Type"), attribute(&tag, "Target"))
                else {
                    continue;
                };
                let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
                found.push(Relation { id, kind, target: resolve(folder, &target) });
                if found.len() > MOST_RELATIONS {
                    return Err(TableError::damaged("relations"));
                }
            }
            Event::Eof => return Ok(found),
            _ => {}
        }
    }
}

/// The part that a target names, seen from the folder of its owner.
fn resolve(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    if target.starts_with('/') {
        return normal_name(&target);
    }
    let mut steps: Vec<&str> = folder.split('/').filter(|step| !step.is_empty()).collect();
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    normal_name(&steps.join("/"))
}

/// The workbook part's name, by the package's relations or by its usual place.
pub(crate) fn workbook_part(package: &Package, limits: &Limits) -> Result<Option<String>, TableError> {
    let by_relation = relations(package, "", limits)?
        .into_iter()
        .find(|relation| relation.kind == "officeDocument")
        .map(|relation| relation.target)
        .filter(|target| package.has(target));
    let usual = "xl/workbook.xml";
    Ok(by_relation.or_else(|| package.has(usual).then(|| usual.to_owned())))
}

impl Workbook {
    pub(crate) fn read(package: &Package, part: &str, limits: &Limits) -> Result<Self, TableError> {
        let relations = relations(package, part, limits)?;
        let by_kind = |kind: &str, usual: &str| {
            relations
                .iter()
                .find(|relation| relation.kind == kind)
                .map(|relation| relation.target.clone())
                .or_else(|| Some(resolve(part.rsplit_once('/').map_or("", |(folder, _)| folder), usual)))
                .filter(|target| package.has(target))
        };
        let mut workbook = Self {
            sheets: Vec::new(),
            sheet_parts: Vec::new(),
            shared_strings: by_kind("sharedStrings", "sharedStrings.xml"),
            styles: by_kind("styles", "styles.xml"),
            epoch: Epoch::From1900,
        };
        let targets: HashMap<&str, &Relation> =
            relations.iter().map(|relation| (relation.id.as_str(), relation)).collect();
        let mut xml = XmlReader::new(package.read(part, "workbook")?, "workbook", limits);
        loop {
            match xml.next()? {
                Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                    "workbookPr" => {
                        if matches!(attribute(&tag, "date1904").as_deref(), Some("1" | "true")) {
                            workbook.epoch = Epoch::From1904;
                        }
                    }
                    "sheet" => {
                        let target = attribute(&tag, "id").and_then(|id| targets.get(id.as_str()).copied());
                        // Chart and macro sheets have no cells.
                        let Some(target) = target.filter(|relation| relation.kind == "worksheet") else {
                            continue;
                        };
                        let name = attribute(&tag, "name").unwrap_or_default();
                        let state = attribute(&tag, "state");
                        let visible = matches!(state.as_deref(), None | Some("visible"));
                        workbook.sheets.push(Sheet { name, visible });
                        workbook.sheet_parts.push(target.target.clone());
                        if workbook.sheets.len() as u64 > limits.sheets {
                            return Err(TableError::damaged("workbook"));
                        }
                    }
                    _ => {}
                },
                Event::Eof => break,
                _ => {}
            }
        }
        if workbook.sheets.is_empty() {
            return Err(TableError::damaged("workbook"));
        }
        Ok(workbook)
    }
}

/// Excel itself ends at 65,490 cell formats; some writers make more.
const MOST_FORMATS: usize = 200_000;

/// What each cell format makes of numbers, by its index.
pub(crate) fn read_styles(
    package: &Package,
    part: &str,
    limits: &Limits,
) -> Result<Vec<NumberKind>, TableError> {
    let mut own: HashMap<u32, NumberKind> = HashMap::new();
    let mut kinds = Vec::new();
    let mut in_cell_formats = false;
    let mut xml = XmlReader::new(package.read(part, "styles")?, "styles", limits);
    loop {
        match xml.next()? {
            Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                "numFmt" => {
                    let id = attribute(&tag, "numFmtId").and_then(|id| id.parse().ok());
                    if let (Some(id), Some(format)) = (id, attribute(&tag, "formatCode")) {
                        own.insert(id, NumberKind::of_format(&format));
                    }
                }
                "cellXfs" => in_cell_formats = true,
                "xf" if in_cell_formats => {
                    let id = attribute(&tag, "numFmtId").and_then(|id| id.parse().ok()).unwrap_or(0);
                    let builtin = || u16::try_from(id).map_or(NumberKind::Plain, NumberKind::of_builtin);
                    kinds.push(own.get(&id).copied().unwrap_or_else(builtin));
                }
                _ => {}
            },
            Event::End(tag) if tag.local_name().as_ref() == "cellXfs" => in_cell_formats = false,
            Event::Eof => return Ok(kinds),
            _ => {}
        }
        if kinds.len() > MOST_FORMATS || own.len() > MOST_FORMATS {
            return Err(TableError::damaged("styles"));
        }
    }
}
