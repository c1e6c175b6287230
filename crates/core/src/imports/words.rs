//! The words of reports and of the command line: the same locale files as the window's.

use std::sync::OnceLock;

use serde_json::Value;

use super::headings::Column;
use super::problem::Problem;
use super::requests::ProblemLine;
use crate::words::{Language, Words};

/// What a report adds to the right of the file's own columns.
pub const REPORT_COLUMNS: [&str; 5] =
    ["report.row", "report.outcome", "report.field", "report.code", "report.reason"];

fn words(language: Language) -> &'static Words {
    static CHINESE: OnceLock<Words> = OnceLock::new();
    static ENGLISH: OnceLock<Words> = OnceLock::new();
    match language {
        Language::Chinese => {
            CHINESE.get_or_init(|| Words::read(include_str!("../../../../assets/locales/zh-CN/imports.json")))
        }
        Language::English => {
            ENGLISH.get_or_init(|| Words::read(include_str!("../../../../assets/locales/en/imports.json")))
        }
    }
}

/// Why a value is none, in the words that a form would use.
fn reason(language: Language, code: &str) -> &'static str {
    static CHINESE: OnceLock<Words> = OnceLock::new();
    static ENGLISH: OnceLock<Words> = OnceLock::new();
    let errors = match language {
        Language::Chinese => {
            CHINESE.get_or_init(|| Words::read(include_str!("../../../../assets/locales/zh-CN/errors.json")))
        }
        Language::English => {
            ENGLISH.get_or_init(|| Words::read(include_str!("../../../../assets/locales/en/errors.json")))
        }
    };
    errors.find(code).unwrap_or_default()
}

/// The text of a key of `imports.json`; empty when there is none.
pub fn text(language: Language, key: &str) -> &'static str {
    words(language).find(key).unwrap_or_default()
}

/// What a problem says, and what to do about it.
pub fn message(language: Language, problem: &Problem) -> String {
    let mut said = text(language, &format!("problem.{}", problem.code.as_str())).to_owned();
    let field = field_name(language, problem);
    said = said.replace("{field}", field);
    for (name, value) in &problem.params {
        let value = match value {
            Value::String(code) if name == "reason" => reason(language, code).to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        said = said.replace(&format!("{{{name}}}"), &value);
    }
    said
}

/// Takes away the columns that a report adds to the file's own, so that a mended report imports like the file.
pub fn drop_report_columns(columns: &mut Vec<Column>) {
    let added = |language: Language| REPORT_COLUMNS.map(|key| text(language, key));
    for language in [Language::Chinese, Language::English] {
        let from = columns.len().saturating_sub(REPORT_COLUMNS.len());
        let same = columns[from..].iter().map(|column| column.heading.as_str()).eq(added(language));
        if same {
            columns.truncate(from);
        }
    }
}

/// A problem of a row, as results list it.
pub fn line(language: Language, row: u64, problem: &Problem) -> ProblemLine {
    ProblemLine {
        row,
        field: problem.field_code().to_owned(),
        code: problem.code.as_str().to_owned(),
        message: message(language, problem),
    }
}

/// The field's name in words.
pub fn field_name(language: Language, problem: &Problem) -> &'static str {
    let key = match problem.field {
        Some(field) => format!("field.{}", field.code()),
        None => "field.row".to_owned(),
    };
    text(language, &key)
}

#[cfg(test)]
mod tests {
    use super::super::fields::Field;
    use super::super::problem::Code;
    use super::*;

    #[test]
    fn every_problem_and_field_is_said_in_both_languages() {
        for language in [Language::Chinese, Language::English] {
            let known = words(language);
            for code in Code::ALL {
                assert!(known.find(&format!("problem.{}", code.as_str())).is_some(), "{language:?} {code:?}");
            }
            for field in Field::ALL {
                assert!(known.find(&format!("field.{}", field.code())).is_some(), "{language:?} {field:?}");
            }
        }
    }

    #[test]
    fn a_message_names_its_field_and_fills_in_what_it_needs() {
        let problem = Problem::of(Field::Mrn, Code::ZerosRestored).with("width", 8);
        let said = message(Language::English, &problem);
        assert!(said.contains('8') && !said.contains('{'), "{said}");
    }
}
