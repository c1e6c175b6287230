//! What changed from one version to another.

use serde::Serialize;
use serde_json::{Map, Value};
use ts_rs::TS;

/// How an entry differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "FormsChangeKind")]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Only the later version has it.
    Added,
    /// Only the earlier version has it.
    Removed,
    /// Both have it, with another value.
    Changed,
    /// It stands at another place among its like.
    Moved,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "FormsChange")]
pub struct Change {
    /// The list or field: `questions`, `alerts`, `timepoints`, `script`, `name` and so on.
    pub part: String,
    /// The entry's id or code, with its option's after a `/`; empty for a field of the whole.
    pub entry: String,
    /// The entry's words in Chinese and English, from the version that has it; empty where it has none.
    pub words: (String, String),
    /// The field of the entry; empty when it is the entry itself.
    pub field: String,
    /// How it differs.
    pub kind: ChangeKind,
    /// As it was.
    pub before: String,
    /// As it is.
    pub after: String,
}

/// What names an entry of a list.
const KEYS: &[&str] = &["id", "code", "class"];
/// What says an entry to people.
const WORDS: &[&str] = &["text", "title", "label", "say", "name", "why", "note"];

/// Every difference between two plans or questionnaires as they are stored.
pub(super) fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let (mut before, mut after) = (flat(before), flat(after));
    for side in [&mut before, &mut after] {
        side.remove("version");
        side.remove("code");
    }
    let mut found = Vec::new();
    for name in names(&before, &after) {
        let (old, new) = (before.get(&name), after.get(&name));
        match (old.and_then(entries), new.and_then(entries)) {
            (Some(old), Some(new)) => lists(&name, &old, &new, &mut found),
            (Some(old), None) => lists(&name, &old, &[], &mut found),
            (None, Some(new)) => lists(&name, &[], &new, &mut found),
            (None, None) => fields(&Place { part: &name, entry: "", words: None }, "", old, new, &mut found),
        }
    }
    found
}

/// A plan with its form's lists beside its own; the form repeats the plan's code, version and name.
fn flat(document: &Value) -> Map<String, Value> {
    let mut all = document.as_object().cloned().unwrap_or_default();
    if let Some(Value::Object(form)) = all.remove("form") {
        let own = ["code", "version", "title"];
        all.extend(form.into_iter().filter(|(name, _)| !own.contains(&name.as_str())));
    }
    all
}

fn names(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<String> {
    let mut names: Vec<String> = before.keys().cloned().collect();
    names.extend(after.keys().filter(|name| !before.contains_key(*name)).cloned());
    names
}

fn key(entry: &Value) -> Option<&str> {
    KEYS.iter().find_map(|key| entry.get(key).and_then(Value::as_str))
}

/// The entries of a list whose every entry has a name of its own.
fn entries(value: &Value) -> Option<Vec<(&str, &Value)>> {
    let list = value.as_array().filter(|list| !list.is_empty())?;
    list.iter().map(|entry| key(entry).map(|key| (key, entry))).collect()
}

fn lists(part: &str, before: &[(&str, &Value)], after: &[(&str, &Value)], found: &mut Vec<Change>) {
    let within = |list: &[(&str, &Value)], key: &str| list.iter().any(|one| one.0 == key);
    let kept = |list: &[(&str, &Value)], other: &[(&str, &Value)]| -> Vec<String> {
        list.iter().filter(|one| within(other, one.0)).map(|one| one.0.to_owned()).collect()
    };
    let moved = moved(&kept(before, after), &kept(after, before));
    for (key, old) in before.iter().filter(|one| !within(after, one.0)) {
        found.push(change(part, key, old, ChangeKind::Removed));
    }
    for (key, new) in after {
        let Some((_, old)) = before.iter().find(|one| one.0 == *key) else {
            found.push(change(part, key, new, ChangeKind::Added));
            continue;
        };
        if moved.iter().any(|one| one == key) {
            found.push(change(part, key, new, ChangeKind::Moved));
        }
        let nothing = Map::new();
        let (old, new) = (old.as_object().unwrap_or(&nothing), new.as_object().unwrap_or(&nothing));
        let words = words(new);
        for field in names(old, new) {
            let place = Place { part, entry: key, words: Some(&words) };
            fields(&place, &field, old.get(&field), new.get(&field), found);
        }
    }
}

/// The fewest entries that must move to turn one order into the other: those outside of the longest common run.
fn moved(before: &[String], after: &[String]) -> Vec<String> {
    let places: Vec<usize> =
        after.iter().filter_map(|key| before.iter().position(|one| one == key)).collect();
    let mut best: Vec<(usize, Option<usize>)> = Vec::new();
    for (index, place) in places.iter().enumerate() {
        let earlier = (0..index).filter(|at| places.get(*at).is_some_and(|other| other < place));
        let longest = earlier.max_by_key(|at| best.get(*at).map_or(0, |one| one.0));
        best.push((longest.and_then(|at| best.get(at)).map_or(0, |one| one.0) + 1, longest));
    }
    let mut stay = Vec::new();
    let mut next = (0..best.len()).max_by_key(|at| best.get(*at).map_or(0, |one| one.0));
    while let Some(at) = next {
        stay.push(at);
        next = best.get(at).and_then(|one| one.1);
    }
    after.iter().enumerate().filter(|(at, _)| !stay.contains(at)).map(|(_, key)| key.clone()).collect()
}

fn words(entry: &Map<String, Value>) -> (String, String) {
    let found = WORDS.iter().find_map(|name| entry.get(*name).filter(|value| value.is_object()));
    let of = |language: &str| {
        found.and_then(|text| text.get(language)).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    (of("zh"), of("en"))
}

fn change(part: &str, key: &str, entry: &Value, kind: ChangeKind) -> Change {
    let words = entry.as_object().map(words).unwrap_or_default();
    let (before, after) = (String::new(), String::new());
    Change { part: part.to_owned(), entry: key.to_owned(), words, field: String::new(), kind, before, after }
}

struct Place<'a> {
    part: &'a str,
    entry: &'a str,
    words: Option<&'a (String, String)>,
}

/// A field with two values. Options are compared one by one, other lists and objects as a whole.
fn fields(
    place: &Place<'_>,
    field: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    found: &mut Vec<Change>,
) {
    let blank = |value: Option<&Value>| match value {
        None | Some(Value::Null) => true,
        Some(Value::Array(list)) => list.is_empty(),
        Some(Value::String(text)) => text.is_empty(),
        _ => false,
    };
    if before == after || blank(before) && blank(after) {
        return;
    }
    if field == "options" {
        let none = Vec::new();
        let (old, new) = (before.and_then(entries), after.and_then(entries));
        let mut inside = Vec::new();
        lists(place.part, old.as_ref().unwrap_or(&none), new.as_ref().unwrap_or(&none), &mut inside);
        for mut change in inside {
            change.entry = format!("{}/{}", place.entry, change.entry);
            found.push(change);
        }
        return;
    }
    if field.is_empty()
        && let (Some(Value::Object(old)), Some(Value::Object(new))) = (before, after)
        && !old.contains_key("zh")
    {
        for name in names(old, new) {
            fields(place, &name, old.get(&name), new.get(&name), found);
        }
        return;
    }
    found.push(Change {
        part: place.part.to_owned(),
        entry: place.entry.to_owned(),
        words: place.words.cloned().unwrap_or_default(),
        field: field.to_owned(),
        kind: ChangeKind::Changed,
        before: shown(before),
        after: shown(after),
    });
}

/// A value as a line of text.
fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) => list.iter().map(|one| shown(Some(one))).collect::<Vec<_>>().join(" · "),
        Some(Value::Object(fields)) if fields.contains_key("zh") => {
            let texts =
                ["zh", "en"].iter().filter_map(|name| fields.get(*name)).map(|text| shown(Some(text)));
            texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" / ")
        }
        Some(Value::Object(fields)) => {
            let pairs = fields.iter().map(|(name, value)| format!("{name} {}", shown(Some(value))));
            pairs.collect::<Vec<_>>().join(", ")
        }
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(before: &Value, after: &Value) -> Vec<String> {
        let line = |one: Change| {
            let kind = serde_json::to_value(one.kind).unwrap_or_default();
            let said = [
                one.part,
                one.entry,
                one.field,
                kind.as_str().unwrap_or_default().to_owned(),
                one.before,
                one.after,
            ];
            said.join("|")
        };
        changes(before, after).into_iter().map(line).collect()
    }

    #[test]
    fn each_difference_is_told_once_where_it_is() {
        let question = |id: &str, zh: &str| json!({ "id": id, "text": { "zh": zh, "en": "" }, "options": [{ "code": "1", "points": 1 }], "required": false });
        let before = json!({ "code": "X", "version": 1, "name": { "zh": "旧" }, "form": { "version": 1, "questions": [question("a", "甲"), question("b", "乙"), question("c", "丙")], "alerts": [] }, "script": { "opening": { "zh": "您好" } } });
        let mut after = before.clone();
        assert!(told(&before, &after).is_empty());
        after["version"] = json!(2);
        after["name"] = json!({ "zh": "新" });
        after["form"]["questions"] = json!([question("c", "丙"), question("a", "甲甲"), question("d", "丁")]);
        after["form"]["questions"][0]["options"][0]["points"] = json!(5);
        after["form"]["alerts"] = json!([{ "code": "x", "when": "a" }]);
        after["script"]["opening"] = json!({ "zh": "您好！" });
        let mut found = told(&before, &after);
        found.sort();
        assert_eq!(
            found,
            [
                "alerts|x||added||",
                "name|||changed|旧|新",
                "questions|a|text|changed|甲|甲甲",
                "questions|b||removed||",
                "questions|c/1|points|changed|1|5",
                "questions|c||moved||",
                "questions|d||added||",
                "script||opening|changed|您好|您好！",
            ]
        );
    }
}
