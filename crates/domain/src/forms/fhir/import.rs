//! A questionnaire of FHIR as a plan or questionnaire of ours.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::condition::{self, Asked};
use super::convert::{self, Converted};
use super::model::{FhirError, NotCarried, extension_value, own, text};
use super::note;
use super::own::{complete, read_json, read_text};
use super::read::{self, Item, ItemType, Questionnaire};
use super::value::Given;
use crate::error_code::ErrorCode;
use crate::forms::CompiledForm;
use crate::forms::model::{Calculation, Form, LocalText, Question, QuestionKind, Section};
use crate::forms::scope::is_name;
use crate::plans::Plan;

/// The language of our own calculations, as FHIR names languages of expressions.
pub(super) const CEL: &str = "text/cel";
/// As many questions as a form may have.
const MAX_QUESTIONS: usize = 200;

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Document {
    /// A plan, exported by this program.
    Plan(Box<Plan>),
    /// A questionnaire.
    Form(Box<Form>),
}

/// What was read, and what of the file was not.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The plan or questionnaire. Its version is the file's; the store gives it its own.
    pub document: Document,
    /// What this program has no place for.
    pub not_carried: Vec<NotCarried>,
}

/// Where an item went.
struct Place<'a> {
    item: usize,
    converted: Converted<'a>,
    section: Option<String>,
    /// For the halves of a blood pressure: their item and `.sbp` or `.dbp`.
    fields: Vec<(usize, String)>,
}

/// Reads a questionnaire. A plan's rules that lie outside of its form (routes, timepoints) are the caller's to check.
///
/// # Errors
/// The first reason why the file cannot be used, with the item's `linkId`. Nothing is half read.
pub fn import(value: &Value) -> Result<Imported, FhirError> {
    let read = read::read(value)?;
    let mut notes = Vec::new();
    let (form, link_ids) = form(&read, &mut notes)?;
    let plans: Vec<Map<String, Value>> = read_json(read.raw, "plan")?;
    let document = match plans.into_iter().next() {
        None => {
            if let Err(problems) = CompiledForm::new(form.clone()) {
                return Err(mistake(&problems, &link_ids));
            }
            Document::Form(Box::new(form))
        }
        Some(mut plan) => {
            let broken = |_| FhirError::new(ErrorCode::FhirStructure, "", own("plan"));
            plan.insert("form".to_owned(), serde_json::to_value(form).map_err(broken)?);
            Document::Plan(serde_json::from_value(Value::Object(plan)).map_err(broken)?)
        }
    };
    notes.sort();
    notes.dedup();
    Ok(Imported { document, not_carried: notes })
}

/// The first mistake of the form as it was read, at its item.
fn mistake(problems: &[crate::forms::Problem], link_ids: &[String]) -> FhirError {
    let problem = problems.first();
    let path = problem.map_or("", |problem| problem.path.as_str());
    let index =
        path.strip_prefix("questions.").and_then(|rest| rest.split('.').next()?.parse::<usize>().ok());
    let link_id = index.and_then(|index| link_ids.get(index)).map_or(path, String::as_str);
    FhirError::new(ErrorCode::FhirProblem, link_id, problem.map_or("", |problem| problem.code.as_str()))
}

/// The questions as FHIR's words alone give them, by `linkId`: what the remainder is measured against.
pub(super) fn plain_questions(value: &Value) -> Result<Vec<(String, Question)>, FhirError> {
    let read = read::read(value)?;
    let mut notes = Vec::new();
    let (places, _, _) = places(&read, &mut notes)?;
    let conditions = Conditions::new(&read, &places);
    let mut list = Vec::new();
    for (index, place) in places.iter().enumerate() {
        let link_id = read.items.get(place.item).map_or("", |item| item.link_id);
        list.push((link_id.to_owned(), plain(&conditions, place, index, &mut notes)));
    }
    Ok(list)
}

fn plain(
    conditions: &Conditions<'_, '_>,
    place: &Place<'_>,
    index: usize,
    notes: &mut Vec<NotCarried>,
) -> Question {
    let mut question = place.converted.question.clone();
    question.section.clone_from(&place.section);
    question.show_if = conditions.of(index, notes);
    question
}

fn form(read: &Questionnaire<'_>, notes: &mut Vec<NotCarried>) -> Result<(Form, Vec<String>), FhirError> {
    let own_file = text(read.raw, "url").starts_with(&own("questionnaire:"));
    note::root(read.raw, own_file, notes);
    let (places, mut sections, calculations) = places(read, notes)?;
    if places.iter().all(|place| place.converted.question.kind == QuestionKind::Note) {
        return Err(FhirError::new(ErrorCode::FhirEmpty, "", ""));
    }
    if places.len() > MAX_QUESTIONS {
        let link_id = places.get(MAX_QUESTIONS).and_then(|place| read.items.get(place.item));
        let link_id = link_id.map_or("", |item| item.link_id);
        return Err(FhirError::new(ErrorCode::FhirTooMany, link_id, MAX_QUESTIONS.to_string()));
    }
    let conditions = Conditions::new(read, &places);
    let (mut questions, mut link_ids) = (Vec::new(), Vec::new());
    for (index, place) in places.iter().enumerate() {
        let Some(item) = read.items.get(place.item) else { continue };
        let question = plain(&conditions, place, index, notes);
        questions.push(complete(question, item.raw, notes)?);
        link_ids.push(item.link_id.to_owned());
    }
    sections = merged(read_json(read.raw, "section")?, sections);
    let chinese = is_chinese(read.raw);
    let mut title = read_text(read.raw, "title", chinese);
    for key in ["name", "id"] {
        if title.is_empty() {
            title = read_text(read.raw, key, chinese);
        }
    }
    if title.is_empty() {
        title = LocalText { zh: "导入的问卷".to_owned(), en: "Imported questionnaire".to_owned() };
    }
    let form = Form {
        code: code_of(read.raw),
        version: text(read.raw, "version").parse().ok().filter(|_| own_file).unwrap_or(0),
        title,
        sections,
        questions,
        parts: read_json(read.raw, "part")?,
        calculations,
        classes: read_json(read.raw, "class")?,
        alerts: read_json(read.raw, "alert")?,
        scoring: read_json(read.raw, "scoring")?.into_iter().next(),
    };
    Ok((form, link_ids))
}

/// Our own list of sections with the headings the groups have now, then the groups that are not in it.
fn merged(listed: Vec<Section>, found: Vec<Section>) -> Vec<Section> {
    let mut sections = listed;
    for group in found {
        match sections.iter_mut().find(|section| section.code == group.code) {
            Some(section) => section.title = group.title,
            None => sections.push(group),
        }
    }
    sections
}

/// Whether the texts are Chinese: as the file says, or as its words look.
fn is_chinese(raw: &Map<String, Value>) -> bool {
    match raw.get("language").and_then(Value::as_str) {
        Some(language) => language.starts_with("zh"),
        None => {
            let han = |text: &str| text.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
            han(text(raw, "title")) || raw.get("item").is_some_and(|items| han(&items.to_string()))
        }
    }
}

/// A code of capital letters, digits and `_`, at most 20, from the file's address, name or title.
fn code_of(raw: &Map<String, Value>) -> String {
    let ours = text(raw, "url").strip_prefix(&own("questionnaire:"));
    let named = [ours.unwrap_or_default(), text(raw, "name"), text(raw, "id"), text(raw, "title")];
    let capital = |name: &str| -> String {
        let letters = name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' });
        let code: String = letters.map(|letter| letter.to_ascii_uppercase()).take(20).collect();
        code.trim_matches('_').to_owned()
    };
    named.into_iter().map(capital).find(|code| !code.is_empty()).unwrap_or_else(|| "IMPORTED".to_owned())
}

type Places<'a> = (Vec<Place<'a>>, Vec<Section>, Vec<Calculation>);

/// Every question in document order, with the sections and calculations met on the way.
fn places<'a>(read: &Questionnaire<'a>, notes: &mut Vec<NotCarried>) -> Result<Places<'a>, FhirError> {
    let chinese = is_chinese(read.raw);
    let (mut found, mut sections, mut calculations) = (Vec::new(), Vec::<Section>::new(), Vec::new());
    let mut names = BTreeSet::new();
    let mut section_of: BTreeMap<usize, String> = BTreeMap::new();
    let mut consumed = BTreeSet::new();
    for (index, item) in read.items.iter().enumerate() {
        let holder = item.parent.and_then(|parent| read.items.get(parent));
        let section = item.parent.and_then(|parent| section_of.get(&parent)).cloned();
        if consumed.contains(&index) {
            continue;
        }
        if let Some(pressure) = blood_pressure(read, index, chinese, &mut names, section.clone(), notes) {
            consumed.extend(item.children.iter().copied());
            found.push(pressure);
        } else if item.kind == ItemType::Group {
            let nested = holder.is_some_and(|holder| holder.kind == ItemType::Group);
            if let Some(code) = group(item, nested, chinese, &mut sections, notes).or(section) {
                section_of.insert(index, code);
            }
        } else if let Some(calculation) = calculation(item, chinese)? {
            names.insert(calculation.id.clone());
            calculations.push(calculation);
        } else {
            if let Some(code) = &section {
                section_of.insert(index, code.clone());
            }
            if holder.is_some_and(|holder| holder.kind != ItemType::Group) {
                notes.push(NotCarried::new(
                    "nested",
                    item.link_id,
                    holder.map_or("", |holder| holder.link_id),
                ));
            }
            let name = free_name(item.link_id, &names);
            if let Some(converted) = convert::question(read, item, name.clone(), chinese, notes) {
                if name != item.link_id {
                    notes.push(NotCarried::new("renamed", item.link_id, name.clone()));
                }
                names.insert(name);
                found.push(Place { item: index, converted, section, fields: Vec::new() });
            }
        }
    }
    Ok((found, sections, calculations))
}

/// The section that a group is; none for a group without a heading.
fn group(
    item: &Item<'_>,
    nested: bool,
    chinese: bool,
    sections: &mut Vec<Section>,
    notes: &mut Vec<NotCarried>,
) -> Option<String> {
    note::item(item, notes);
    if item.repeats {
        notes.push(NotCarried::new("group_repeats", item.link_id, "repeats"));
    }
    if item.required && !item.link_id.starts_with("section:") {
        notes.push(NotCarried::new("field", item.link_id, "required"));
    }
    if nested {
        notes.push(NotCarried::new("nested", item.link_id, "group"));
    }
    // `section:CODE` and, where its questions do not lie together, `section:CODE#2` are how this program writes them.
    let code = item.link_id.strip_prefix("section:").map_or(item.link_id, |code| {
        code.rsplit_once('#')
            .filter(|(_, number)| number.parse::<u32>().is_ok())
            .map_or(code, |(code, _)| code)
    });
    let named = ["text", "prefix", "code"].iter().any(|key| item.raw.contains_key(*key));
    if !named {
        return None;
    }
    let title = convert::words(item, chinese);
    if !sections.iter().any(|section| section.code == code) {
        sections.push(Section { code: code.to_owned(), title, weight: 0.0 });
    }
    Some(code.to_owned())
}

/// A calculated number in our own language.
fn calculation(item: &Item<'_>, chinese: bool) -> Result<Option<Calculation>, FhirError> {
    let Some((CEL, expr)) = note::calculated(item.raw) else { return Ok(None) };
    if let Some(kept) = read_json(item.raw, "calculation")?.into_iter().next() {
        let kept: Calculation = kept;
        if kept.expr == expr && kept.id == item.link_id {
            return Ok(Some(kept));
        }
    }
    let label = convert::words(item, chinese);
    let id = item.link_id.to_owned();
    Ok(Some(Calculation { id, label, expr: expr.to_owned(), unit: None, decimals: None }))
}

/// The group that stands for one blood pressure.
fn blood_pressure<'a>(
    read: &Questionnaire<'a>,
    index: usize,
    chinese: bool,
    names: &mut BTreeSet<String>,
    section: Option<String>,
    notes: &mut Vec<NotCarried>,
) -> Option<Place<'a>> {
    let item = read.items.get(index)?;
    if extension_value(item.raw, &own("kind")) != Some(&Value::String("bp".to_owned())) {
        return None;
    }
    let halves: Vec<&Item<'a>> = item.children.iter().filter_map(|child| read.items.get(*child)).collect();
    let [sbp, dbp] = halves.as_slice() else { return None };
    let name = free_name(item.link_id, names);
    names.insert(name.clone());
    let mut converted = convert::question(read, sbp, name, chinese, notes)?;
    let question = &mut converted.question;
    question.kind = QuestionKind::Bp;
    question.text = read_text(item.raw, "text", chinese);
    question.unit = None;
    let fields =
        item.children.iter().zip(["sbp", "dbp"]).map(|(child, half)| (*child, half.to_owned())).collect();
    note::item(dbp, notes);
    Some(Place { item: index, converted, section, fields })
}

/// A name that conditions can use and that no other question has, as like the `linkId` as possible.
fn free_name(link_id: &str, taken: &BTreeSet<String>) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' };
    let mut base: String = link_id.chars().map(plain).take(34).collect();
    if !base.starts_with(|letter: char| letter.is_ascii_lowercase()) {
        base.insert_str(0, "q_");
    }
    if link_id.len() <= 40 && is_name(link_id) {
        link_id.clone_into(&mut base);
    }
    if !is_name(&base) {
        base.insert_str(0, "q_");
    }
    let mut name = base.clone();
    let mut number = 2;
    while taken.contains(&name) {
        name = format!("{}_{number}", base.chars().take(34).collect::<String>());
        number += 1;
    }
    name
}

/// Conditions of the questions, from the items' own and those of everything they lie in.
struct Conditions<'r, 'a> {
    read: &'r Questionnaire<'a>,
    places: &'r [Place<'a>],
    /// Item → place in the list and the name conditions use.
    by_item: BTreeMap<usize, (usize, String)>,
}

impl<'r, 'a> Conditions<'r, 'a> {
    fn new(read: &'r Questionnaire<'a>, places: &'r [Place<'a>]) -> Self {
        let mut by_item = BTreeMap::new();
        for (index, place) in places.iter().enumerate() {
            let name = &place.converted.question.id;
            by_item.insert(place.item, (index, name.clone()));
            for (item, half) in &place.fields {
                by_item.insert(*item, (index, format!("{name}.{half}")));
            }
        }
        Self { read, places, by_item }
    }

    /// The condition of a question; what cannot be said is left out and noted, so the question is always asked.
    fn of(&self, index: usize, notes: &mut Vec<NotCarried>) -> Option<String> {
        let place = self.places.get(index)?;
        let mut holders = Vec::new();
        let mut next = Some(place.item);
        while let Some(item) = next.and_then(|item| self.read.items.get(item)) {
            holders.push(item);
            next = item.parent;
        }
        let link_id = holders.first().map_or("", |item| item.link_id);
        let mut parts = Vec::new();
        for holder in holders.iter().rev().filter(|holder| !holder.enable_when.is_empty()) {
            let later = holder.enable_when.iter().find_map(|when| {
                let (asked, name) = self.by_item.get(&when.question)?;
                (*asked >= index).then(|| name.clone())
            });
            if let Some(name) = later {
                notes.push(NotCarried::new("condition_later", link_id, name));
                continue;
            }
            match condition::cel(&holder.enable_when, holder.any, |item| self.asked(item)) {
                Some(condition) => parts.push((condition, holder.any && holder.enable_when.len() > 1)),
                None => {
                    let what: Vec<&str> =
                        holder.enable_when.iter().map(|when| self.link_id(when.question)).collect();
                    notes.push(NotCarried::new("condition_left_out", link_id, what.join(" ")));
                }
            }
        }
        let several = parts.len() > 1;
        let bracketed =
            parts.into_iter().map(|(part, any)| if any && several { format!("({part})") } else { part });
        let condition = bracketed.collect::<Vec<_>>().join(" && ");
        (!condition.is_empty()).then_some(condition)
    }

    fn link_id(&self, item: usize) -> &'a str {
        self.read.items.get(item).map_or("", |item| item.link_id)
    }

    fn asked(&self, item: usize) -> Option<Asked<'r>> {
        let (index, name) = self.by_item.get(&item)?;
        let converted = &self.places.get(*index)?.converted;
        let option = Box::new(move |answer: &Given<'_>| converted.option(answer));
        Some(Asked { name: name.clone(), kind: converted.question.kind, option })
    }
}
