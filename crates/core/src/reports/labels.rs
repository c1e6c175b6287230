//! Words that stand for codes in a workbook's cells.

use std::collections::HashMap;

use super::sheet::Cell;
use crate::words::Words;

/// Words of codes, looked up once instead of once a cell.
pub(super) struct Labels {
    groups: HashMap<&'static str, Vec<(String, String)>>,
    yes: String,
    no: String,
}

impl Labels {
    /// Reads the words.
    pub fn new(words: &Words) -> Self {
        let group = |name: &'static str| (name, words.group(name));
        let names = ["sex", "disposition", "status", "outcome", "class", "level", "alert_status"];
        Self {
            groups: names.into_iter().map(group).collect(),
            yes: words.text("export.yes").to_owned(),
            no: words.text("export.no").to_owned(),
        }
    }

    /// The word for a code, or the code itself when a newer program wrote it.
    pub fn word<'a>(&'a self, group: &str, code: &'a str) -> &'a str {
        let words = self.groups.get(group).map(Vec::as_slice).unwrap_or_default();
        words.iter().find(|(known, _)| known == code).map_or(code, |(_, word)| word)
    }

    /// The cell for a code.
    pub fn of<'a>(&'a self, group: &str, code: Option<&'a str>) -> Cell<'a> {
        code.filter(|code| !code.is_empty()).map(|code| self.word(group, code)).into()
    }

    /// The cell for a yes or no.
    pub fn yes_no(&self, yes: bool) -> Cell<'_> {
        Cell::Text(if yes { &self.yes } else { &self.no })
    }
}

/// A text in full, or as who may not see it sees it.
pub(super) fn masked<'a>(text: Option<&'a str>, reveal: bool, mask: fn(&str) -> String) -> Cell<'a> {
    match text {
        Some(text) if !reveal => Cell::Made(mask(text)),
        text => text.into(),
    }
}
