//! A questionnaire's structure, read and checked: every item with its place, and what enables it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::model::{FhirError, MAX_DEPTH, MAX_ITEMS, text};
use super::value::Given;
use crate::error_code::ErrorCode;

/// The types of R4 (hl7.org/fhir/R4/valueset-item-type.html); `question` is abstract and not for use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ItemType {
    Group,
    Display,
    Boolean,
    Decimal,
    Integer,
    Date,
    DateTime,
    Time,
    String,
    Text,
    Url,
    Choice,
    OpenChoice,
    Attachment,
    Reference,
    Quantity,
}

impl ItemType {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "group" => Self::Group,
            "display" => Self::Display,
            "boolean" => Self::Boolean,
            "decimal" => Self::Decimal,
            "integer" => Self::Integer,
            "date" => Self::Date,
            "dateTime" => Self::DateTime,
            "time" => Self::Time,
            "string" => Self::String,
            "text" => Self::Text,
            "url" => Self::Url,
            "choice" => Self::Choice,
            "open-choice" => Self::OpenChoice,
            "attachment" => Self::Attachment,
            "reference" => Self::Reference,
            "quantity" => Self::Quantity,
            _ => return None,
        })
    }

    /// Whether it takes answers.
    pub(super) fn is_question(self) -> bool {
        !matches!(self, Self::Group | Self::Display)
    }
}

/// How an answer is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Exists,
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
}

impl Operator {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "exists" => Self::Exists,
            "=" => Self::Equal,
            "!=" => Self::NotEqual,
            ">" => Self::Greater,
            "<" => Self::Less,
            ">=" => Self::GreaterOrEqual,
            "<=" => Self::LessOrEqual,
            _ => return None,
        })
    }
}

/// One thing that enables an item.
#[derive(Debug, Clone)]
pub(super) struct EnableWhen<'a> {
    /// Place of the question in the list of items.
    pub question: usize,
    pub operator: Operator,
    pub answer: Given<'a>,
}

/// An item with its place.
#[derive(Debug, Clone)]
pub(super) struct Item<'a> {
    pub raw: &'a Map<String, Value>,
    pub link_id: &'a str,
    pub kind: ItemType,
    pub required: bool,
    pub repeats: bool,
    pub parent: Option<usize>,
    pub children: Vec<usize>,
    pub enable_when: Vec<EnableWhen<'a>>,
    /// One of `enable_when` suffices.
    pub any: bool,
}

/// A questionnaire whose items are in document order.
#[derive(Debug, Clone)]
pub(super) struct Questionnaire<'a> {
    pub raw: &'a Map<String, Value>,
    pub items: Vec<Item<'a>>,
    pub roots: Vec<usize>,
    pub by_link: BTreeMap<&'a str, usize>,
    /// Places of the items, each after everything its being enabled depends on.
    pub order: Vec<usize>,
}

impl<'a> Questionnaire<'a> {
    /// The items that lie in an item, or at the top.
    pub(super) fn children(&self, of: Option<usize>) -> &[usize] {
        match of.map(|index| self.items.get(index)) {
            None => &self.roots,
            Some(item) => item.map_or(&[], |item| &item.children),
        }
    }
}

fn structure(link_id: &str, what: &str) -> FhirError {
    FhirError::new(ErrorCode::FhirStructure, link_id, what)
}

/// Reads the structure.
///
/// # Errors
/// `FhirNotQuestionnaire`, `FhirStructure`, `FhirTooDeep`, `FhirTooMany`, `FhirEmpty`, `FhirLinkIdMissing`,
/// `FhirLinkIdDuplicate`, `FhirTypeUnknown`, `FhirReferenceDangling`, `FhirConditionLoop`.
pub(super) fn read(value: &Value) -> Result<Questionnaire<'_>, FhirError> {
    let not_this = || FhirError::new(ErrorCode::FhirNotQuestionnaire, "", "Questionnaire");
    let raw = value.as_object().ok_or_else(not_this)?;
    if text(raw, "resourceType") != "Questionnaire" {
        return Err(not_this());
    }
    let mut found = Questionnaire {
        raw,
        items: Vec::new(),
        roots: Vec::new(),
        by_link: BTreeMap::new(),
        order: Vec::new(),
    };
    found.roots = read_items(raw, None, 1, &mut found)?;
    if found.items.is_empty() {
        return Err(FhirError::new(ErrorCode::FhirEmpty, "", ""));
    }
    for index in 0..found.items.len() {
        let conditions = read_conditions(&found, index)?;
        if let Some(item) = found.items.get_mut(index) {
            (item.enable_when, item.any) = conditions;
        }
    }
    found.order = in_order(&found)?;
    Ok(found)
}

fn read_items<'a>(
    holder: &'a Map<String, Value>,
    parent: Option<usize>,
    depth: usize,
    found: &mut Questionnaire<'a>,
) -> Result<Vec<usize>, FhirError> {
    let at = text(holder, "linkId");
    let list = match holder.get("item") {
        None => return Ok(Vec::new()),
        Some(list) => list.as_array().ok_or_else(|| structure(at, "item"))?,
    };
    if depth > MAX_DEPTH {
        return Err(FhirError::new(ErrorCode::FhirTooDeep, at, MAX_DEPTH.to_string()));
    }
    let mut places = Vec::new();
    for (number, value) in list.iter().enumerate() {
        let raw = value.as_object().ok_or_else(|| structure(at, &format!("item[{number}]")))?;
        let index = found.items.len();
        if index >= MAX_ITEMS {
            return Err(FhirError::new(ErrorCode::FhirTooMany, text(raw, "linkId"), MAX_ITEMS.to_string()));
        }
        found.items.push(read_item(raw, at, number, parent)?);
        if found.by_link.insert(text(raw, "linkId"), index).is_some() {
            return Err(FhirError::new(ErrorCode::FhirLinkIdDuplicate, text(raw, "linkId"), ""));
        }
        let children = read_items(raw, Some(index), depth + 1, found)?;
        if let Some(item) = found.items.get_mut(index) {
            item.children = children;
        }
        places.push(index);
    }
    Ok(places)
}

fn read_item<'a>(
    raw: &'a Map<String, Value>,
    under: &str,
    number: usize,
    parent: Option<usize>,
) -> Result<Item<'a>, FhirError> {
    let link_id = text(raw, "linkId");
    if link_id.trim().is_empty() {
        let at = if under.is_empty() { format!("item[{number}]") } else { format!("{under}.item[{number}]") };
        return Err(FhirError::new(ErrorCode::FhirLinkIdMissing, &at, ""));
    }
    let word = text(raw, "type");
    let kind = ItemType::of(word).ok_or_else(|| FhirError::new(ErrorCode::FhirTypeUnknown, link_id, word))?;
    let flag = |name: &str| match raw.get(name) {
        None => Ok(false),
        Some(value) => value.as_bool().ok_or_else(|| structure(link_id, name)),
    };
    for list in ["extension", "answerOption", "enableWhen", "code"] {
        if raw.get(list).is_some_and(|value| !value.is_array()) {
            return Err(structure(link_id, list));
        }
    }
    if raw.get("text").is_some_and(|value| !value.is_string()) {
        return Err(structure(link_id, "text"));
    }
    let (required, repeats) = (flag("required")?, flag("repeats")?);
    let none = (Vec::new(), Vec::new());
    Ok(Item {
        raw,
        link_id,
        kind,
        required,
        repeats,
        parent,
        children: none.0,
        enable_when: none.1,
        any: false,
    })
}

fn read_conditions<'a>(
    found: &Questionnaire<'a>,
    index: usize,
) -> Result<(Vec<EnableWhen<'a>>, bool), FhirError> {
    let Some(item) = found.items.get(index) else { return Ok((Vec::new(), false)) };
    let mut read = Vec::new();
    for (number, value) in
        item.raw.get("enableWhen").and_then(Value::as_array).into_iter().flatten().enumerate()
    {
        let broken = |field: &str| structure(item.link_id, &format!("enableWhen[{number}]{field}"));
        let when = value.as_object().ok_or_else(|| broken(""))?;
        let named = text(when, "question");
        let question = *found
            .by_link
            .get(named)
            .ok_or_else(|| FhirError::new(ErrorCode::FhirReferenceDangling, item.link_id, named))?;
        let operator = Operator::of(text(when, "operator")).ok_or_else(|| broken(".operator"))?;
        let answer = Given::of(when, "answer").ok_or_else(|| broken(".answer[x]"))?;
        if operator == Operator::Exists && !matches!(answer, Given::Boolean(_)) {
            return Err(broken(".answerBoolean"));
        }
        read.push(EnableWhen { question, operator, answer });
    }
    let any = match item.raw.get("enableBehavior").map(|word| word.as_str().unwrap_or_default()) {
        Some("any") => true,
        Some("all") => false,
        // R4's que-12: with more than one condition it must be said how they are joined.
        None if read.len() < 2 => false,
        _ => return Err(structure(item.link_id, "enableBehavior")),
    };
    Ok((read, any))
}

/// Each item after those it depends on: its holder, and the questions of its conditions.
fn in_order(found: &Questionnaire<'_>) -> Result<Vec<usize>, FhirError> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let needs: Vec<Vec<usize>> = found
        .items
        .iter()
        .map(|item| {
            item.parent.into_iter().chain(item.enable_when.iter().map(|when| when.question)).collect()
        })
        .collect();
    let mut marks = vec![Mark::New; found.items.len()];
    let mut order = Vec::with_capacity(found.items.len());
    for start in 0..found.items.len() {
        let mut open = vec![(start, 0_usize)];
        while let Some((index, next)) = open.pop() {
            let Some(mark) = marks.get_mut(index) else { continue };
            if next == 0 {
                match *mark {
                    Mark::Done => continue,
                    Mark::Open => {
                        let link_id = found.items.get(index).map_or("", |item| item.link_id);
                        return Err(FhirError::new(ErrorCode::FhirConditionLoop, link_id, ""));
                    }
                    Mark::New => *mark = Mark::Open,
                }
            }
            match needs.get(index).and_then(|needs| needs.get(next)) {
                Some(need) => {
                    open.push((index, next + 1));
                    open.push((*need, 0));
                }
                None => {
                    *mark = Mark::Done;
                    order.push(index);
                }
            }
        }
    }
    Ok(order)
}
