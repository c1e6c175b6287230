//! The names an expression may use, with their types.

use std::collections::BTreeMap;

use super::model::{Question, QuestionKind};

/// The type of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VarType {
    /// A number.
    Number,
    /// True or false.
    Bool,
    /// Free text.
    Text,
    /// A date; compares with `'2026-01-31'`.
    Date,
    /// One of these codes.
    Choice(Vec<String>),
    /// Any of these codes.
    Choices(Vec<String>),
    /// Blood pressure: used as `.sbp` and `.dbp`.
    Bp,
}

/// Names and types, and which names give points.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    names: BTreeMap<String, VarType>,
    pointed: BTreeMap<String, bool>,
}

/// Words that are taken: CEL's own, and the roots of the names below.
const RESERVED: &[&str] = &[
    "in",
    "true",
    "false",
    "null",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
    "patient",
    "encounter",
    "score",
    "last",
    "delivery",
    "class",
    "days_since_anchor",
    "timepoint",
    "lowest_points",
    "chosen",
    "answered",
    "points",
    "mentions",
];

/// Whether `id` can name a question or calculation: lower-case letters, digits and `_`, a
/// letter first, at most 40, and no reserved word.
pub fn is_name(id: &str) -> bool {
    let mut bytes = id.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && id.len() <= 40
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && !RESERVED.contains(&id)
}

/// Whether `code` can name a plan or questionnaire: capital letters, digits and `_`, 1 to 20.
pub fn is_form_code(code: &str) -> bool {
    (1..=20).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

fn codes(list: &[&str]) -> Vec<String> {
    list.iter().map(|code| (*code).to_owned()).collect()
}

impl Scope {
    /// What is known of the patient in every expression.
    pub fn patient() -> Self {
        let mut scope = Self::default();
        scope.add("patient.age", VarType::Number);
        scope.add("patient.sex", VarType::Choice(codes(&["male", "female", "unknown", "unstated"])));
        scope.add("patient.vip", VarType::Bool);
        scope.add("score.lace", VarType::Number);
        scope
    }

    /// What a question's condition may use besides questions.
    pub fn form() -> Self {
        let mut scope = Self::patient();
        scope.add("days_since_anchor", VarType::Number);
        scope
    }

    /// What plan selection and the conditions of timepoints may use.
    pub fn discharge() -> Self {
        let mut scope = Self::patient();
        for name in ["patient.deceased", "patient.is_test", "patient.is_unknown", "encounter.chemo"] {
            scope.add(name, VarType::Bool);
        }
        for name in ["encounter.new_insulin", "delivery.stillbirth", "delivery.baby_deceased"] {
            scope.add(name, VarType::Bool);
        }
        scope.add("patient.contact_optout", VarType::Choice(codes(&["none", "phone", "all"])));
        scope.add("encounter.leave_mode", VarType::Choice(codes(&["1", "2", "3", "4", "5", "9"])));
        scope.add("encounter.stay_days", VarType::Number);
        scope
    }

    /// Adds a name.
    pub fn add(&mut self, name: &str, kind: VarType) {
        self.names.insert(name.to_owned(), kind);
    }

    /// Adds a question; notes have no value.
    pub fn add_question(&mut self, question: &Question) {
        let option_codes = || question.options.iter().map(|option| option.code.clone()).collect();
        let kind = match question.kind {
            QuestionKind::Single => VarType::Choice(option_codes()),
            QuestionKind::Multi => VarType::Choices(option_codes()),
            QuestionKind::Bool => VarType::Bool,
            QuestionKind::Number | QuestionKind::Scale => VarType::Number,
            QuestionKind::Bp => {
                self.add(&format!("{}.sbp", question.id), VarType::Number);
                self.add(&format!("{}.dbp", question.id), VarType::Number);
                VarType::Bp
            }
            QuestionKind::Date => VarType::Date,
            QuestionKind::Text => VarType::Text,
            QuestionKind::Note => return,
        };
        self.pointed
            .insert(question.id.clone(), question.options.iter().any(|option| option.points.is_some()));
        self.add(&question.id, kind);
    }

    /// The type of a name.
    pub fn get(&self, name: &str) -> Option<&VarType> {
        self.names.get(name)
    }

    /// Whether `name` is a question.
    pub fn is_question(&self, name: &str) -> bool {
        self.pointed.contains_key(name)
    }

    /// Whether `name` is a question whose options carry points.
    pub fn has_points(&self, name: &str) -> bool {
        self.pointed.get(name) == Some(&true)
    }
}
