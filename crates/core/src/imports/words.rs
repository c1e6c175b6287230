//! The words of reports and of the command line: the same locale files as the window's.

use serde_json::Value;

use super::headings::Column;
use super::problem::Problem;
use super::requests::ProblemLine;
use crate::messages::ERRORS;
use crate::words::{Language, Locale, fill};

/// What a report adds to the right of the file's own columns.
pub const REPORT_COLUMNS: [&str; 5] =
    ["report.row", "report.outcome", "report.field", "report.code", "report.reason"];

static IMPORTS: Locale = Locale::new(
    include_str!("../../../../assets/locales/zh-CN/imports.json"),
    include_str!("../../../../assets/locales/en/imports.json"),
);

/// The text of a key of `imports.json`; empty when there is none.
pub fn text(language: Language, key: &str) -> &'static str {
    IMPORTS.of(language).find(key).unwrap_or_default()
}

/// What a problem says, and what to do about it.
pub fn message(language: Language, problem: &Problem) -> String {
    let mut said = text(language, &format!("problem.{}", problem.code.as_str())).to_owned();
    let field = field_name(language, problem);
    said = fill(&said, "field", field);
    for (name, value) in &problem.params {
        let value = match value {
            // Why a value is none, in the words that a form would use.
            Value::String(code) if name == "reason" => {
                ERRORS.of(language).find(code).unwrap_or_default().to_owned()
            }
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        said = fill(&said, name, &value);
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
            let known = IMPORTS.of(language);
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
