//! A response held against its questionnaire.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::convert::{contained, option_value};
use super::enabled::{self, Node};
use super::model::{FhirError, MAX_DEPTH, MAX_ITEMS, core, extension_value, text};
use super::read::{self, Item, ItemType, Questionnaire};
use super::response::NOT_RESPONSE;
use super::value::Given;
use crate::error_code::ErrorCode;

/// Something wrong with a response. It never tells what was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResponseFault {
    /// The item; empty for the response as a whole.
    pub link_id: String,
    /// A stable word with a message in `forms.json` (`response.<code>`).
    pub code: String,
    /// Limits for the message.
    pub params: BTreeMap<String, String>,
}

/// Every code of a fault; each has a message in `forms.json`.
pub const RESPONSE_CODES: &[&str] = &[
    "answers_here",
    "decimals",
    "duplicate",
    "group_answered",
    "invalid_value",
    "not_an_option",
    "not_enabled",
    "order",
    "other_questionnaire",
    "range_max",
    "range_min",
    "required",
    "status",
    "structure",
    "too_few",
    "too_long",
    "too_many",
    "unknown_link_id",
    "wrong_place",
    "wrong_type",
];

const STATUSES: &[&str] = &["in-progress", "completed", "amended", "entered-in-error", "stopped"];

struct Checker<'q, 'a> {
    of: &'q Questionnaire<'a>,
    faults: Vec<ResponseFault>,
}

impl Checker<'_, '_> {
    fn add(&mut self, link_id: &str, code: &str) {
        self.add_with(link_id, code, "", String::new());
    }

    fn add_with(&mut self, link_id: &str, code: &str, name: &str, value: String) {
        debug_assert!(RESPONSE_CODES.contains(&code), "{code} has no message");
        let mut params = BTreeMap::new();
        if !name.is_empty() {
            params.insert(name.to_owned(), value);
        }
        self.faults.push(ResponseFault { link_id: link_id.to_owned(), code: code.to_owned(), params });
    }
}

/// Reads both files and checks the response.
///
/// # Errors
/// When one of the files is not of its kind, or the questionnaire is not usable.
pub fn validate_text(questionnaire: &str, response: &str) -> Result<Vec<ResponseFault>, FhirError> {
    validate(&super::model::parse(questionnaire)?, &super::model::parse(response)?)
}

/// Checks a response.
///
/// # Errors
/// When the questionnaire is not usable, or the response is no QuestionnaireResponse.
pub fn validate(questionnaire: &Value, response: &Value) -> Result<Vec<ResponseFault>, FhirError> {
    let of = read::read(questionnaire)?;
    let not_this = || FhirError::new(NOT_RESPONSE, "", "QuestionnaireResponse");
    let root = response.as_object().ok_or_else(not_this)?;
    if text(root, "resourceType") != "QuestionnaireResponse" {
        return Err(not_this());
    }
    let mut checker = Checker { of: &of, faults: Vec::new() };
    check_head(&of, root, &mut checker);
    let mut nodes = Vec::new();
    let roots = read_nodes(&mut checker, root, None, None, 1, &mut nodes)?;
    enabled::mark(&of, &mut nodes);
    let complete = text(root, "status") != "in-progress";
    check_level(&mut checker, &nodes, None, None, &roots, complete);
    for index in 0..nodes.len() {
        check_node(&mut checker, &nodes, index, complete);
    }
    Ok(checker.faults)
}

/// The status, and that it is a response to this questionnaire.
fn check_head(of: &Questionnaire<'_>, root: &Map<String, Value>, checker: &mut Checker<'_, '_>) {
    if !STATUSES.contains(&text(root, "status")) {
        checker.add("", "status");
    }
    let (asked, own) = (text(root, "questionnaire"), text(of.raw, "url"));
    let (address, version) = asked.split_once('|').unwrap_or((asked, ""));
    let other_version =
        !version.is_empty() && of.raw.contains_key("version") && version != text(of.raw, "version");
    if !asked.is_empty() && !own.is_empty() && (address != own || other_version) {
        checker.add("", "other_questionnaire");
    }
}

/// Reads the items in `holder` and says what is wrong with their structure.
fn read_nodes<'a>(
    checker: &mut Checker<'_, '_>,
    holder: &'a Map<String, Value>,
    holder_item: Option<usize>,
    parent: Option<usize>,
    depth: usize,
    nodes: &mut Vec<Node<'a>>,
) -> Result<Vec<usize>, FhirError> {
    let at = parent.and_then(|parent| nodes.get(parent)).map_or("", |node| node.link_id);
    let list = match holder.get("item") {
        None => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => {
            checker.add_with(at, "structure", "field", "item".to_owned());
            return Ok(Vec::new());
        }
    };
    if depth > 2 * MAX_DEPTH {
        return Err(FhirError::new(ErrorCode::FhirTooDeep, at, (2 * MAX_DEPTH).to_string()));
    }
    let mut places = Vec::new();
    for (number, value) in list.iter().enumerate() {
        let Some(raw) = value.as_object().filter(|raw| !text(raw, "linkId").is_empty()) else {
            checker.add_with(at, "structure", "field", format!("item[{number}].linkId"));
            continue;
        };
        if nodes.len() >= MAX_ITEMS {
            return Err(FhirError::new(ErrorCode::FhirTooMany, text(raw, "linkId"), MAX_ITEMS.to_string()));
        }
        let link_id = text(raw, "linkId");
        let item = checker.of.by_link.get(link_id).copied();
        let placed =
            item.filter(|item| checker.of.items.get(*item).is_some_and(|found| found.parent == holder_item));
        match (item, placed) {
            (None, _) => checker.add(link_id, "unknown_link_id"),
            (Some(_), None) => checker.add(link_id, "wrong_place"),
            _ => {}
        }
        let index = nodes.len();
        places.push(index);
        nodes.push(Node {
            raw,
            link_id,
            item: placed,
            parent,
            children: Vec::new(),
            answers: Vec::new(),
            enabled: false,
        });
        read_answers(checker, raw, placed, index, depth, nodes)?;
    }
    Ok(places)
}

/// Reads an item's answers and what lies in it or in them.
fn read_answers<'a>(
    checker: &mut Checker<'_, '_>,
    raw: &'a Map<String, Value>,
    item: Option<usize>,
    index: usize,
    depth: usize,
    nodes: &mut Vec<Node<'a>>,
) -> Result<(), FhirError> {
    let link_id = text(raw, "linkId");
    let answers = match raw.get("answer") {
        None => &[][..],
        Some(Value::Array(list)) => list,
        Some(_) => {
            checker.add_with(link_id, "structure", "field", "answer".to_owned());
            &[]
        }
    };
    let is_question =
        item.and_then(|item| checker.of.items.get(item)).is_some_and(|item| item.kind.is_question());
    if is_question && raw.contains_key("item") {
        // R4: what lies under a question lies in its answer; `item.item` is for groups (qrs-1 and its notes).
        checker.add(link_id, "answers_here");
    }
    let mut children = read_nodes(checker, raw, item, Some(index), depth + 1, nodes)?;
    let mut read = Vec::new();
    for answer in answers {
        let Some(answer) = answer.as_object() else {
            checker.add_with(link_id, "structure", "field", "answer".to_owned());
            continue;
        };
        read.push(Given::of(answer, "value"));
        children.extend(read_nodes(checker, answer, item, Some(index), depth + 1, nodes)?);
    }
    if let Some(node) = nodes.get_mut(index) {
        (node.answers, node.children) = (read, children);
    }
    Ok(())
}

/// One level of a response: order, doubles, and what is missing.
fn check_level(
    checker: &mut Checker<'_, '_>,
    nodes: &[Node<'_>],
    holder_item: Option<usize>,
    parent: Option<usize>,
    places: &[usize],
    complete: bool,
) {
    let of = checker.of;
    let mut last = 0;
    let mut seen: BTreeMap<usize, u32> = BTreeMap::new();
    for node in places.iter().filter_map(|place| nodes.get(*place)) {
        let Some(item) = node.item else { continue };
        let count = seen.entry(item).or_default();
        *count += 1;
        let repeated_group =
            of.items.get(item).is_some_and(|item| item.kind == ItemType::Group && item.repeats);
        if *count == 2 && !repeated_group {
            checker.add(node.link_id, "duplicate");
        }
        if item < last {
            checker.add(node.link_id, "order");
        }
        last = last.max(item);
    }
    if !complete {
        return;
    }
    for child in of.children(holder_item) {
        let Some(item) = of.items.get(*child) else { continue };
        let count = u64::from(seen.get(child).copied().unwrap_or(0));
        if count == 0 && enabled::missing_is_enabled(of, nodes, *child, parent) {
            check_missing(checker, nodes, *child, parent);
        }
        if item.kind == ItemType::Group && item.repeats && count > 0 {
            check_count(checker, item, count);
        }
    }
}

/// An enabled item that is not there: required, or a group with something required in it.
fn check_missing(checker: &mut Checker<'_, '_>, nodes: &[Node<'_>], index: usize, parent: Option<usize>) {
    let of = checker.of;
    let Some(item) = of.items.get(index) else { return };
    if item.kind.is_question() {
        if item.required && !is_calculated(item) {
            checker.add(item.link_id, "required");
        }
        return;
    }
    let before = checker.faults.len();
    if item.kind == ItemType::Group && (!item.repeats || item.required) {
        for child in &item.children {
            if enabled::missing_is_enabled(of, nodes, *child, parent) {
                check_missing(checker, nodes, *child, parent);
            }
        }
    }
    if item.required && checker.faults.len() == before {
        checker.add(item.link_id, "required");
    }
}

/// Whether the item's value is computed, so that nobody can be asked for it.
fn is_calculated(item: &Item<'_>) -> bool {
    item.raw.get("readOnly") == Some(&Value::Bool(true))
}

fn check_node(checker: &mut Checker<'_, '_>, nodes: &[Node<'_>], index: usize, complete: bool) {
    let Some(node) = nodes.get(index) else { return };
    let Some(item) = node.item.and_then(|item| checker.of.items.get(item)) else { return };
    let answered = node.answers.iter().any(Option::is_some)
        || node.children.iter().any(|child| has_answer(nodes, *child));
    if !node.enabled {
        if answered && nodes.get(node.parent.unwrap_or(usize::MAX)).is_none_or(|parent| parent.enabled) {
            checker.add(item.link_id, "not_enabled");
        }
        return;
    }
    check_level(checker, nodes, node.item, Some(index), &node.children, complete);
    if !item.kind.is_question() {
        if node.raw.contains_key("answer") {
            checker.add(item.link_id, "group_answered");
        }
        if item.required && complete && !answered && node.children.is_empty() {
            checker.add(item.link_id, "required");
        }
        return;
    }
    let count = u64::try_from(node.answers.len()).unwrap_or(u64::MAX);
    if count == 0 {
        if item.required && complete && !is_calculated(item) {
            checker.add(item.link_id, "required");
        } else if complete {
            check_count(checker, item, count);
        }
    } else if count > 1 && !item.repeats {
        checker.add_with(item.link_id, "too_many", "max", "1".to_owned());
    } else {
        check_count(checker, item, count);
    }
    let sources = sources(checker.of, item);
    for answer in &node.answers {
        match answer {
            None => checker.add(item.link_id, "invalid_value"),
            Some(given) => check_answer(checker, item, given, &sources),
        }
    }
}

fn has_answer(nodes: &[Node<'_>], index: usize) -> bool {
    nodes.get(index).is_some_and(|node| {
        !node.answers.is_empty() || node.children.iter().any(|child| has_answer(nodes, *child))
    })
}

/// `minOccurs` and `maxOccurs` of what may repeat.
fn check_count(checker: &mut Checker<'_, '_>, item: &Item<'_>, count: u64) {
    let limit = |name: &str| extension_value(item.raw, &core(name)).and_then(Value::as_u64);
    if let Some(min) = limit("questionnaire-minOccurs").filter(|min| count < *min) {
        checker.add_with(item.link_id, "too_few", "min", min.to_string());
    }
    if let Some(max) = limit("questionnaire-maxOccurs").filter(|max| count > *max) {
        checker.add_with(item.link_id, "too_many", "max", max.to_string());
    }
}

/// The options an answer must be one of; none when they are not in the file or not limited.
fn sources<'a>(of: &Questionnaire<'a>, item: &Item<'a>) -> Vec<Given<'a>> {
    let own = item.raw.get("answerOption").and_then(Value::as_array);
    let own = own.into_iter().flatten().filter_map(Value::as_object).filter_map(option_value);
    let set = item.raw.get("answerValueSet").and_then(Value::as_str);
    own.chain(set.into_iter().flat_map(|uri| contained(of, uri)).filter_map(option_value)).collect()
}

fn check_answer(checker: &mut Checker<'_, '_>, item: &Item<'_>, given: &Given<'_>, options: &[Given<'_>]) {
    let link_id = item.link_id;
    if !fits(item.kind, given, options) {
        checker.add(link_id, "wrong_type");
        return;
    }
    let free = item.kind == ItemType::OpenChoice && matches!(given, Given::String(_));
    if !options.is_empty() && !free && !options.iter().any(|option| option.same(given)) {
        checker.add(link_id, "not_an_option");
    }
    check_limits(checker, item, given);
    if let Given::String(words) | Given::Uri(words) = given {
        let most =
            item.raw.get("maxLength").and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok());
        if let Some(most) = most.filter(|most| words.chars().count() > *most) {
            checker.add_with(link_id, "too_long", "max", most.to_string());
        }
    }
}

/// Whether a value is of the item's type. Options may be of other types than codings; then answers are too.
fn fits(kind: ItemType, given: &Given<'_>, options: &[Given<'_>]) -> bool {
    let like_option =
        || options.iter().any(|option| std::mem::discriminant(option) == std::mem::discriminant(given));
    match kind {
        ItemType::Boolean => matches!(given, Given::Boolean(_)),
        ItemType::Decimal => matches!(given, Given::Decimal(_)),
        ItemType::Integer => matches!(given, Given::Integer(_)),
        ItemType::Date => matches!(given, Given::Date(_)),
        ItemType::DateTime => matches!(given, Given::DateTime(_)),
        ItemType::Time => matches!(given, Given::Time(_)),
        ItemType::String | ItemType::Text => matches!(given, Given::String(_)),
        ItemType::Url => matches!(given, Given::Uri(_)),
        ItemType::Choice if options.is_empty() => matches!(given, Given::Coding { .. }),
        ItemType::Choice => like_option(),
        ItemType::OpenChoice => matches!(given, Given::Coding { .. } | Given::String(_)) || like_option(),
        ItemType::Attachment => matches!(given, Given::Attachment),
        ItemType::Reference => matches!(given, Given::Reference(_)),
        ItemType::Quantity => matches!(given, Given::Quantity { .. }),
        ItemType::Group | ItemType::Display => false,
    }
}

fn check_limits(checker: &mut Checker<'_, '_>, item: &Item<'_>, given: &Given<'_>) {
    for (core_name, sdc, code, name, beyond) in [
        ("minValue", "minQuantity", "range_min", "min", std::cmp::Ordering::Less),
        ("maxValue", "maxQuantity", "range_max", "max", std::cmp::Ordering::Greater),
    ] {
        let sdc = format!("http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-{sdc}");
        let found =
            [core(core_name), sdc].into_iter().find_map(|uri| super::model::extension(item.raw, &uri));
        let Some(limit) = found.and_then(|extension| Given::of(extension, "value")) else { continue };
        if given.compare(&limit) == Some(beyond) {
            checker.add_with(item.link_id, code, name, words(&limit));
        }
    }
    let places = extension_value(item.raw, &core("maxDecimalPlaces")).and_then(Value::as_u64);
    if let (Some(places), Given::Decimal(number)) =
        (places.and_then(|places| i32::try_from(places).ok()), given)
    {
        let shifted = number * 10f64.powi(places.min(12));
        if (shifted - shifted.round()).abs() > 1e-6 * shifted.abs().max(1.0) {
            checker.add_with(item.link_id, "decimals", "decimals", places.to_string());
        }
    }
}

/// A limit of the questionnaire, as a message shows it.
fn words(limit: &Given<'_>) -> String {
    match limit {
        Given::Date(day) | Given::DateTime(day) | Given::Time(day) => (*day).to_owned(),
        Given::Quantity { number, unit } => format!("{number} {unit}"),
        other => other.number().map(|number| number.to_string()).unwrap_or_default(),
    }
}
