//! One item of a questionnaire as a question of ours.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::model::{NotCarried, OWN, core, extension_value, own, text};
use super::note;
use super::own::read_text;
use super::read::{Item, ItemType, Questionnaire};
use super::value::Given;
use crate::forms::model::{LocalText, NumberRange, Question, QuestionKind, QuestionOption};

/// As many as a question may have.
const MAX_OPTIONS: usize = 60;
/// Decimals of a number that does not say how many.
const DECIMALS: u8 = 6;

/// A question, and which answer of the file stands for which of its options.
pub(super) struct Converted<'a> {
    pub question: Question,
    pub options: Vec<(Given<'a>, String)>,
}

impl Converted<'_> {
    /// The code of the option that an answer of the file names.
    pub fn option(&self, answer: &Given<'_>) -> Option<String> {
        self.options.iter().find(|(given, _)| given.same(answer)).map(|(_, code)| code.clone())
    }
}

/// The question for an item; none when this program has no such question, which is noted.
pub(super) fn question<'a>(
    of: &Questionnaire<'a>,
    item: &Item<'a>,
    name: String,
    chinese: bool,
    notes: &mut Vec<NotCarried>,
) -> Option<Converted<'a>> {
    note::item(item, notes);
    if extension_value(item.raw, &core("questionnaire-hidden")) == Some(&Value::Bool(true)) {
        notes.push(NotCarried::new("hidden", item.link_id, words(item, chinese).get_any()));
        return None;
    }
    if item.raw.get("readOnly") == Some(&Value::Bool(true)) && note::calculated(item.raw).is_some() {
        return None;
    }
    let (sources, from) = option_sources(of, item);
    if let Some(from) = from {
        notes.push(NotCarried::new("value_set", item.link_id, from));
    }
    let kind = kind(item, !sources.is_empty(), notes)?;
    let choice = matches!(kind, QuestionKind::Single | QuestionKind::Multi);
    let (options, pairs) =
        if choice { options(item, &sources, kind, chinese, notes) } else { (Vec::new(), Vec::new()) };
    let range = range(item, kind, notes);
    let max_occurs = extension_value(item.raw, &core("questionnaire-maxOccurs")).and_then(Value::as_u64);
    let question = Question {
        id: name,
        kind,
        text: words(item, chinese),
        required: item.required && kind != QuestionKind::Note,
        options,
        unit: unit(item, kind, chinese, notes),
        range,
        labels: Vec::new(),
        max_select: max_occurs
            .filter(|_| kind == QuestionKind::Multi)
            .and_then(|most| u16::try_from(most).ok()),
        show_if: None,
        at: Vec::new(),
        section: None,
        sensitive: false,
        bank: None,
    };
    Some(Converted { question, options: pairs })
}

impl LocalText {
    /// The text in whichever language it has.
    fn get_any(&self) -> &str {
        if self.zh.is_empty() { &self.en } else { &self.zh }
    }
}

/// The item's words: its text after its prefix, or its code's name, or, for want of better, its id.
pub(super) fn words(item: &Item<'_>, chinese: bool) -> LocalText {
    let mut words = read_text(item.raw, "text", chinese);
    if words.is_empty() {
        let code = item.raw.get("code").and_then(|codes| codes.pointer("/0/display")).and_then(Value::as_str);
        let shown = code.unwrap_or(item.link_id).to_owned();
        *(if chinese { &mut words.zh } else { &mut words.en }) = shown;
    }
    let prefix = text(item.raw, "prefix");
    if !prefix.is_empty() {
        for text in [&mut words.zh, &mut words.en].into_iter().filter(|text| !text.is_empty()) {
            *text = format!("{prefix} {text}");
        }
    }
    words
}

fn kind(item: &Item<'_>, has_options: bool, notes: &mut Vec<NotCarried>) -> Option<QuestionKind> {
    let mut simplified = |to: QuestionKind, what: &str| {
        notes.push(NotCarried::new("type_simplified", item.link_id, what));
        Some(to)
    };
    let choice = if item.repeats { QuestionKind::Multi } else { QuestionKind::Single };
    let kind = match item.kind {
        ItemType::Group => return None,
        ItemType::Display => return Some(QuestionKind::Note),
        ItemType::OpenChoice if has_options => {
            notes.push(NotCarried::new("open_choice", item.link_id, "open-choice"));
            return Some(choice);
        }
        ItemType::Choice | ItemType::String | ItemType::Text | ItemType::Integer if has_options => {
            return Some(choice);
        }
        ItemType::Date | ItemType::Time if has_options => return Some(choice),
        ItemType::Choice | ItemType::OpenChoice => {
            if item.raw.get("answerValueSet").is_none() {
                notes.push(NotCarried::new("options_missing", item.link_id, "answerOption"));
            }
            Some(QuestionKind::Text)
        }
        ItemType::Boolean => Some(QuestionKind::Bool),
        ItemType::Integer if is_scale(item) => Some(QuestionKind::Scale),
        ItemType::Integer | ItemType::Decimal => Some(QuestionKind::Number),
        ItemType::Quantity => simplified(QuestionKind::Number, "quantity"),
        ItemType::Date => Some(QuestionKind::Date),
        ItemType::DateTime => simplified(QuestionKind::Date, "dateTime"),
        ItemType::Time => simplified(QuestionKind::Text, "time"),
        ItemType::Url => simplified(QuestionKind::Text, "url"),
        ItemType::String | ItemType::Text => Some(QuestionKind::Text),
        ItemType::Attachment | ItemType::Reference => {
            notes.push(NotCarried::new("type_unsupported", item.link_id, text(item.raw, "type")));
            None
        }
    };
    if item.repeats && kind.is_some() {
        notes.push(NotCarried::new("repeats", item.link_id, "repeats"));
    }
    kind
}

fn limits(item: &Item<'_>) -> (Option<f64>, Option<f64>) {
    let limit = |name: &str, quantity: &str| {
        let sdc = format!("http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-{quantity}");
        let quantity =
            || extension_value(item.raw, &sdc).and_then(|value| value.get("value")).and_then(Value::as_f64);
        extension_value(item.raw, &core(name)).and_then(Value::as_f64).or_else(quantity)
    };
    (limit("minValue", "minQuantity"), limit("maxValue", "maxQuantity"))
}

/// A slider of at most 101 steps.
fn is_scale(item: &Item<'_>) -> bool {
    let (Some(min), Some(max)) = limits(item) else { return false };
    note::control(item.raw) == "slider" && max > min && max - min <= 100.0
}

fn range(item: &Item<'_>, kind: QuestionKind, notes: &mut Vec<NotCarried>) -> NumberRange {
    let (mut min, mut max) = limits(item);
    let numeric = matches!(kind, QuestionKind::Number | QuestionKind::Scale);
    let stated = ["minValue", "maxValue"].iter().filter_map(|name| extension_value(item.raw, &core(name)));
    let empty = matches!((min, max), (Some(min), Some(max)) if min >= max);
    if !numeric || empty {
        for value in stated {
            notes.push(NotCarried::new("range", item.link_id, value.to_string()));
        }
        (min, max) = (None, None);
    }
    let places = extension_value(item.raw, &core("maxDecimalPlaces")).and_then(Value::as_u64);
    let decimals = match item.kind {
        ItemType::Decimal | ItemType::Quantity if kind == QuestionKind::Number => {
            Some(places.and_then(|places| u8::try_from(places).ok()).unwrap_or(DECIMALS).min(DECIMALS))
        }
        _ => None,
    };
    NumberRange { min, max, decimals, step: None }
}

fn unit(
    item: &Item<'_>,
    kind: QuestionKind,
    chinese: bool,
    notes: &mut Vec<NotCarried>,
) -> Option<LocalText> {
    let uris = [core("questionnaire-unit"), core("questionnaire-unitOption")];
    let mut codings = super::model::extensions(item.raw)
        .filter(|found| uris.iter().any(|uri| super::model::url(found) == uri))
        .filter_map(|found| found.get("valueCoding").and_then(Value::as_object));
    let first = codings.next().filter(|_| kind == QuestionKind::Number)?;
    for other in codings {
        notes.push(NotCarried::new("unit", item.link_id, text(other, "code")));
    }
    let mut words = read_text(first, "display", chinese);
    if words.is_empty() {
        words = read_text(first, "code", chinese);
    }
    (!words.is_empty()).then_some(words)
}

/// The elements that are options, and the value set that could not be looked into.
fn option_sources<'a>(
    of: &Questionnaire<'a>,
    item: &Item<'a>,
) -> (Vec<&'a Map<String, Value>>, Option<String>) {
    let own = item.raw.get("answerOption").and_then(Value::as_array);
    if let Some(own) = own.filter(|list| !list.is_empty()) {
        return (own.iter().filter_map(Value::as_object).collect(), None);
    }
    let Some(uri) = item.raw.get("answerValueSet").and_then(Value::as_str) else { return (Vec::new(), None) };
    let found = contained(of, uri);
    let from = found.is_empty().then(|| uri.to_owned());
    (found, from)
}

/// The codings of a value set that the file contains.
pub(super) fn contained<'a>(of: &Questionnaire<'a>, uri: &str) -> Vec<&'a Map<String, Value>> {
    let Some(id) = uri.strip_prefix('#') else { return Vec::new() };
    let list = of.raw.get("contained").and_then(Value::as_array);
    let Some(set) = list.into_iter().flatten().find(|one| one.get("id").and_then(Value::as_str) == Some(id))
    else {
        return Vec::new();
    };
    let expanded = set.pointer("/expansion/contains").and_then(Value::as_array);
    let included = set.pointer("/compose/include").and_then(Value::as_array);
    let concepts =
        included.into_iter().flatten().filter_map(|one| one.get("concept").and_then(Value::as_array));
    expanded.into_iter().flatten().chain(concepts.flatten()).filter_map(Value::as_object).collect()
}

/// The value of an option; an entry of a value set is a coding itself.
pub(super) fn option_value<'a>(option: &'a Map<String, Value>) -> Option<Given<'a>> {
    if option.contains_key("code") {
        let display = text(option, "display");
        return Some(Given::Coding { system: text(option, "system"), code: text(option, "code"), display });
    }
    Given::of(option, "value")
}

fn options<'a>(
    item: &Item<'a>,
    sources: &[&'a Map<String, Value>],
    kind: QuestionKind,
    chinese: bool,
    notes: &mut Vec<NotCarried>,
) -> (Vec<QuestionOption>, Vec<(Given<'a>, String)>) {
    let (mut options, mut pairs) = (Vec::new(), Vec::new());
    let (mut taken, mut systems) = (BTreeSet::new(), BTreeSet::new());
    if sources.len() > MAX_OPTIONS {
        notes.push(NotCarried::new("options_cut", item.link_id, (sources.len() - MAX_OPTIONS).to_string()));
    }
    for source in sources.iter().take(MAX_OPTIONS) {
        let Some(given) = option_value(source) else { continue };
        let wanted = match given {
            Given::Coding { code, display, .. } => if code.is_empty() { display } else { code }.to_owned(),
            Given::Integer(number) => number.to_string(),
            Given::String(words) => words.to_owned(),
            Given::Date(day) | Given::Time(day) => day.to_owned(),
            _ => String::new(),
        };
        let code = free_code(&wanted, options.len() + 1, &taken);
        if code != wanted {
            notes.push(NotCarried::new("option_renamed", item.link_id, format!("{wanted} → {code}")));
        }
        taken.insert(code.clone());
        if let Given::Coding { system, .. } = given
            && !system.is_empty()
            && !system.starts_with(OWN)
            && systems.insert(system)
        {
            notes.push(NotCarried::new("option_system", item.link_id, system));
        }
        note_option(item, source, notes);
        options.push(option(source, &code, kind, chinese));
        pairs.push((given, code));
    }
    (options, pairs)
}

fn note_option(item: &Item<'_>, source: &Map<String, Value>, notes: &mut Vec<NotCarried>) {
    if source.get("initialSelected") == Some(&Value::Bool(true)) {
        notes.push(NotCarried::new("initial", item.link_id, "initialSelected"));
    }
    let coding = source.get("valueCoding").and_then(Value::as_object);
    for extension in
        super::model::extensions(source).chain(coding.into_iter().flat_map(super::model::extensions))
    {
        let uri = super::model::url(extension);
        let known = ["ordinalValue", "itemWeight", "questionnaire-optionExclusive"];
        if !uri.starts_with(OWN) && !known.iter().any(|name| uri == core(name)) {
            notes.push(NotCarried::new("extension", item.link_id, uri));
        }
    }
}

/// A code that fits (at most 40 bytes) and that no other option has.
fn free_code(wanted: &str, number: usize, taken: &BTreeSet<String>) -> String {
    let wanted = wanted.trim();
    let fits = !wanted.is_empty() && wanted.len() <= 40;
    let base = if fits { wanted.to_owned() } else { format!("option{number}") };
    let mut code = base.clone();
    let mut next = 2;
    while taken.contains(&code) {
        code = format!("option{number}_{next}");
        next += 1;
    }
    code
}

fn option(source: &Map<String, Value>, code: &str, kind: QuestionKind, chinese: bool) -> QuestionOption {
    let coding = source.get("valueCoding").and_then(Value::as_object);
    let element = coding.unwrap_or(source);
    let mut label = read_text(element, "display", chinese);
    if label.is_empty() {
        let key = ["valueString", "valueDate", "valueTime"].into_iter().find(|key| source.contains_key(*key));
        label = key.map(|key| read_text(source, key, chinese)).unwrap_or_default();
    }
    if label.is_empty() {
        *(if chinese { &mut label.zh } else { &mut label.en }) = code.to_owned();
    }
    let points = ["ordinalValue", "itemWeight"].into_iter().find_map(|name| {
        let of = |element: &Map<String, Value>| extension_value(element, &core(name)).and_then(Value::as_f64);
        of(element).or_else(|| of(source))
    });
    let flag = |uri: String| extension_value(source, &uri) == Some(&Value::Bool(true));
    QuestionOption {
        code: code.to_owned(),
        label,
        exclusive: kind == QuestionKind::Multi && flag(core("questionnaire-optionExclusive")),
        ends: flag(own("ends")),
        points,
    }
}
