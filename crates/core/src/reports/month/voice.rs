//! The words of a month's workbook and the names behind codes.

use std::collections::{BTreeMap, HashMap};

use rusqlite::Connection;
use serde::Deserialize;

use super::super::detail::Names;
use crate::error::Result;
use crate::words::{Language, Locale, Words};

/// The locale files of this feature.
pub(super) static MONTH: Locale = Locale::new(
    include_str!("../../../../../assets/locales/zh-CN/month.json"),
    include_str!("../../../../../assets/locales/en/month.json"),
);

/// Words and names in one language.
pub(super) struct Voice {
    pub words: &'static Words,
    pub language: Language,
    plans: Names,
    staff: BTreeMap<String, String>,
    categories: HashMap<String, String>,
    severities: HashMap<String, String>,
}

#[derive(Deserialize)]
struct Named {
    code: String,
    name: HashMap<String, String>,
}

#[derive(Deserialize)]
struct Categories {
    categories: Vec<Named>,
}

#[derive(Deserialize)]
struct Tables {
    severities: Vec<Named>,
}

fn names(list: Vec<Named>, language: Language) -> HashMap<String, String> {
    let named = |mut one: Named| Some((one.code, one.name.remove(language.content_key())?));
    list.into_iter().filter_map(named).collect()
}

impl Voice {
    /// `staff` are the names of users, by id as text.
    pub fn new(connection: &Connection, language: Language, staff: BTreeMap<String, String>) -> Result<Self> {
        let categories: Categories =
            serde_json::from_str(include_str!("../../../../../assets/content/complaints/categories.json"))?;
        let tables: Tables =
            serde_json::from_str(include_str!("../../../../../assets/content/complaints/tables.json"))?;
        Ok(Self {
            words: MONTH.of(language),
            language,
            plans: Names::read(connection, language)?,
            staff,
            categories: names(categories.categories, language),
            severities: names(tables.severities, language),
        })
    }

    /// The text at a key.
    pub fn text<'a>(&'a self, key: &'a str) -> &'a str {
        self.words.text(key)
    }

    /// A nurse's name; a word for nobody.
    pub fn person<'a>(&'a self, id: &'a str) -> &'a str {
        match self.staff.get(id) {
            Some(name) => name,
            None => self.text("nobody"),
        }
    }

    pub fn plan<'a>(&'a self, code: &'a str) -> &'a str {
        self.plans.plan(code)
    }

    pub fn category<'a>(&'a self, code: &'a str) -> &'a str {
        self.categories.get(code).map_or(code, String::as_str)
    }

    pub fn severity<'a>(&'a self, code: &'a str) -> &'a str {
        self.severities.get(code).map_or(code, String::as_str)
    }

    /// The word for an empty name.
    pub fn or_none<'a>(&'a self, name: &'a str) -> &'a str {
        if name.is_empty() { self.text("unnamed") } else { name }
    }

    /// The month as people write it.
    pub fn month(&self, month: &super::Month) -> String {
        match self.language {
            Language::Chinese => month.from.format("%Y年%-m月").to_string(),
            Language::English => month.from.format("%B %Y").to_string(),
        }
    }
}
