//! What the caller says: scripts with variables, and their rendering.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::model::{Lang, LocalText};

/// The script of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "CallScript")]
pub struct Script {
    /// How to make sure of the person before anything else is said.
    #[serde(default)]
    pub identity_check: Vec<LocalText>,
    /// Greeting, after the person is known.
    #[serde(default)]
    pub opening: LocalText,
    /// What to talk about, in order.
    #[serde(default)]
    pub sections: Vec<LocalText>,
    /// How to talk; for the caller's eyes.
    #[serde(default)]
    pub tone: LocalText,
    /// Now is not a good time.
    #[serde(default)]
    pub busy: LocalText,
    /// The patient does not want to talk.
    #[serde(default)]
    pub refuse: LocalText,
    /// The patient complains.
    #[serde(default)]
    pub complaint: LocalText,
    /// Something dangerous was said.
    #[serde(default)]
    pub emergency: LocalText,
    /// A question that only a doctor may answer.
    #[serde(default)]
    pub not_medical: LocalText,
    /// Farewell.
    #[serde(default)]
    pub closing: LocalText,
}

impl Script {
    /// Every text with the name of its field.
    pub fn texts(&self) -> Vec<(String, &LocalText)> {
        let mut texts = Vec::new();
        let list = |name: &str, list: &'_ [LocalText]| -> Vec<String> {
            (0..list.len()).map(|index| format!("{name}.{index}")).collect()
        };
        texts.extend(list("identity_check", &self.identity_check).into_iter().zip(&self.identity_check));
        texts.extend(list("sections", &self.sections).into_iter().zip(&self.sections));
        let single = [
            ("opening", &self.opening),
            ("tone", &self.tone),
            ("busy", &self.busy),
            ("refuse", &self.refuse),
            ("complaint", &self.complaint),
            ("emergency", &self.emergency),
            ("not_medical", &self.not_medical),
            ("closing", &self.closing),
        ];
        texts.extend(single.into_iter().map(|(name, text)| (name.to_owned(), text)));
        texts
    }
}

/// A variable that scripts and messages may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct VariableRule {
    /// Name, such as `patient.name`.
    pub name: String,
    /// What to do without a value.
    pub missing: Missing,
    /// Longest value in a message, in characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u16>,
    /// Never in messages.
    #[serde(default)]
    pub script_only: bool,
    /// For the person who writes scripts.
    #[serde(default)]
    pub note: LocalText,
}

/// What to do without a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "MissingValue")]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Missing {
    /// Leave the sentence out; do not send the message.
    Block,
    /// Say this instead.
    Say {
        /// The words.
        text: LocalText,
    },
    /// Use another variable's value.
    Use {
        /// That variable's name.
        name: String,
    },
}

/// A variable's value. Prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub enum VarValue {
    /// As is.
    Text(String),
    /// Written as people write dates: 11月7日, 7 Nov.
    Date(NaiveDate),
}

impl fmt::Debug for VarValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A rendered text. Prints without it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, TS)]
pub struct Rendered {
    /// The sentences that could be said.
    pub text: String,
    /// Variables without a value because of which sentences were left out.
    pub blocked: Vec<String>,
}

impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rendered").field("blocked", &self.blocked).finish_non_exhaustive()
    }
}

enum Piece<'a> {
    Words(&'a str),
    Variable(&'a str),
}

/// Splits at `{{name}}`. Unclosed braces are words.
fn pieces(template: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut rest) = (Vec::new(), template);
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, after)) = after.split_once("}}") else { break };
        pieces.push(Piece::Words(before));
        pieces.push(Piece::Variable(name.trim()));
        rest = after;
    }
    pieces.push(Piece::Words(rest));
    pieces
}

/// Names used in `template` that `rules` do not know.
pub fn unknown_variables(template: &str, rules: &[VariableRule]) -> Vec<String> {
    let used = pieces(template).into_iter().filter_map(|piece| match piece {
        Piece::Variable(name) if !rules.iter().any(|rule| rule.name == name) => Some(name.to_owned()),
        _ => None,
    });
    used.collect()
}

fn value(
    name: &str,
    lang: Lang,
    vars: &BTreeMap<String, VarValue>,
    rules: &[VariableRule],
) -> Option<String> {
    match vars.get(name) {
        Some(VarValue::Text(text)) if !text.trim().is_empty() => return Some(text.clone()),
        Some(VarValue::Date(date)) => return Some(date_words(*date, lang)),
        _ => {}
    }
    match &rules.iter().find(|rule| rule.name == name)?.missing {
        Missing::Block => None,
        Missing::Say { text } => Some(text.get(lang).to_owned()),
        // One step only, so that two variables naming each other end.
        Missing::Use { name } => match vars.get(name) {
            Some(VarValue::Text(text)) if !text.trim().is_empty() => Some(text.clone()),
            Some(VarValue::Date(date)) => Some(date_words(*date, lang)),
            _ => None,
        },
    }
}

fn date_words(date: NaiveDate, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("{}月{}日", date.month(), date.day()),
        Lang::En => date.format("%-d %b").to_string(),
    }
}

/// Fills in `template`. A sentence with a blocked variable is left out whole: half a sentence
/// misleads. Sentences end at 。！？!? and at an English full stop before a space.
pub fn render(
    template: &str,
    lang: Lang,
    vars: &BTreeMap<String, VarValue>,
    rules: &[VariableRule],
) -> Rendered {
    let mut result = Rendered::default();
    let (mut sentence, mut blocked) = (String::new(), BTreeSet::new());
    let mut flush = |sentence: &mut String, blocked: &mut BTreeSet<String>| {
        if blocked.is_empty() {
            result.text.push_str(sentence);
        }
        for name in std::mem::take(blocked) {
            if !result.blocked.contains(&name) {
                result.blocked.push(name);
            }
        }
        sentence.clear();
    };
    for piece in pieces(template) {
        match piece {
            Piece::Variable(name) => match value(name, lang, vars, rules) {
                Some(text) => sentence.push_str(&text),
                None => {
                    blocked.insert(name.to_owned());
                }
            },
            Piece::Words(words) => {
                let mut letters = words.chars().peekable();
                while let Some(letter) = letters.next() {
                    sentence.push(letter);
                    let stop = matches!(letter, '。' | '！' | '？' | '!' | '?' | '\n')
                        || letter == '.' && letters.peek().is_none_or(|next| next.is_whitespace());
                    if stop {
                        flush(&mut sentence, &mut blocked);
                    }
                }
            }
        }
    }
    flush(&mut sentence, &mut blocked);
    result.text = result.text.trim().to_owned();
    result
}
