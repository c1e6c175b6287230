//! Conditions of the simple kind that `enableWhen` can say, and back.
//!
//! Silence: our comparison with an unanswered question is unknown and does not hold. FHIR's `=` and orderings do not
//! hold on silence either, but `!=` does. So `x != 'a'` is written as "x exists and x != a", and a foreign `!=` alone
//! is read as `(!answered(x) || x != 'a')`.

use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};
use serde_json::{Map, Value, json};

use super::read::{EnableWhen, Operator};
use super::value::Given;
use crate::forms::expression;
use crate::forms::model::{Form, Question, QuestionKind};

/// What an answer is compared with.
#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Bool(bool),
    Number(f64),
    Text(String),
}

/// One comparison; `name` is a question or `bp.sbp`.
#[derive(Debug, Clone, PartialEq)]
struct Term {
    name: String,
    operator: Operator,
    operand: Operand,
}

/// Terms that all must hold, or of which any suffices. One term is both.
#[derive(Debug, Clone, PartialEq)]
enum Simple {
    All(Vec<Term>),
    Any(Vec<Term>),
}

impl Simple {
    fn one(name: &str, operator: Operator, operand: Operand) -> Self {
        Self::All(vec![Term { name: name.to_owned(), operator, operand }])
    }

    /// Not equal, and answered.
    fn unlike(name: &str, operand: Operand) -> Self {
        let exists = Term { name: name.to_owned(), operator: Operator::Exists, operand: Operand::Bool(true) };
        Self::All(vec![exists, Term { name: name.to_owned(), operator: Operator::NotEqual, operand }])
    }
}

/// `enableWhen` and `enableBehavior` of a condition; none when FHIR has no words for it.
pub(super) fn enable_when(source: &str, form: &Form) -> Option<(Vec<Value>, &'static str)> {
    let (terms, behavior) = match simple(&expression::parse(source)?, form)? {
        Simple::All(terms) => (terms, "all"),
        Simple::Any(terms) => (terms, "any"),
    };
    let written: Option<Vec<Value>> = terms.iter().map(|term| write(term, form)).collect();
    Some((written?, behavior))
}

fn find<'a>(form: &'a Form, name: &str) -> Option<&'a Question> {
    let root = name.split_once('.').map_or(name, |(root, _)| root);
    form.questions.iter().find(|question| question.id == root && question.kind != QuestionKind::Note)
}

fn simple(node: &IdedExpr, form: &Form) -> Option<Simple> {
    match &node.expr {
        Expr::Ident(name) => yes_no(form, name, true),
        Expr::Call(call) if call.target.is_none() => match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_AND, [left, right]) => join(simple(left, form)?, simple(right, form)?, false),
            (operators::LOGICAL_OR, [left, right]) => join(simple(left, form)?, simple(right, form)?, true),
            (operators::LOGICAL_NOT, [inner]) => negated(inner, form),
            (operators::IN, [left, right]) => membership(left, right, form),
            ("answered", [question]) => {
                Some(Simple::one(&name_of(question)?, Operator::Exists, Operand::Bool(true)))
            }
            ("chosen", [question, code]) => {
                Some(Simple::one(&name_of(question)?, Operator::Equal, literal(code)?))
            }
            (word, [left, right]) => comparison(word, left, right, form),
            _ => None,
        },
        _ => None,
    }
}

/// Joins two conditions when the result is still all-of or any-of.
fn join(left: Simple, right: Simple, any: bool) -> Option<Simple> {
    let parts = |side: Simple| match side {
        Simple::All(terms) if !any || terms.len() == 1 => Some(terms),
        Simple::Any(terms) if any || terms.len() == 1 => Some(terms),
        _ => None,
    };
    let mut terms = parts(left)?;
    terms.extend(parts(right)?);
    Some(if any { Simple::Any(terms) } else { Simple::All(terms) })
}

fn yes_no(form: &Form, name: &str, value: bool) -> Option<Simple> {
    let is_bool = find(form, name)?.kind == QuestionKind::Bool;
    is_bool.then(|| Simple::one(name, Operator::Equal, Operand::Bool(value)))
}

fn negated(inner: &IdedExpr, form: &Form) -> Option<Simple> {
    let term = match simple(inner, form)? {
        Simple::All(terms) | Simple::Any(terms) => <[Term; 1]>::try_from(terms).ok()?,
    };
    let [term] = term;
    match (term.operator, term.operand) {
        (Operator::Exists, Operand::Bool(held)) => {
            Some(Simple::one(&term.name, Operator::Exists, Operand::Bool(!held)))
        }
        (Operator::Equal, Operand::Bool(value)) => {
            Some(Simple::one(&term.name, Operator::Equal, Operand::Bool(!value)))
        }
        (Operator::Equal, operand) => Some(Simple::unlike(&term.name, operand)),
        _ => None,
    }
}

fn membership(left: &IdedExpr, right: &IdedExpr, form: &Form) -> Option<Simple> {
    if let Expr::List(list) = &right.expr {
        let name = name_of(left)?;
        find(form, &name)?;
        let equal = |element: &IdedExpr| {
            Some(Term { name: name.clone(), operator: Operator::Equal, operand: literal(element)? })
        };
        return Some(Simple::Any(list.elements.iter().map(equal).collect::<Option<_>>()?));
    }
    Some(Simple::one(&name_of(right)?, Operator::Equal, literal(left)?))
}

fn comparison(word: &str, left: &IdedExpr, right: &IdedExpr, form: &Form) -> Option<Simple> {
    let (name, operand) = (name_of(left)?, literal(right)?);
    find(form, &name)?;
    let operator = match word {
        operators::EQUALS => Operator::Equal,
        operators::NOT_EQUALS => {
            return match operand {
                Operand::Bool(value) => yes_no(form, &name, !value),
                operand => Some(Simple::unlike(&name, operand)),
            };
        }
        operators::GREATER => Operator::Greater,
        operators::GREATER_EQUALS => Operator::GreaterOrEqual,
        operators::LESS => Operator::Less,
        operators::LESS_EQUALS => Operator::LessOrEqual,
        _ => return None,
    };
    Some(Simple::one(&name, operator, operand))
}

fn name_of(node: &IdedExpr) -> Option<String> {
    match &node.expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) if !select.test => match &select.operand.expr {
            Expr::Ident(root) => Some(format!("{root}.{}", select.field)),
            _ => None,
        },
        _ => None,
    }
}

fn literal(node: &IdedExpr) -> Option<Operand> {
    match &node.expr {
        #[allow(clippy::cast_precision_loss, reason = "literals of thresholds are far below 2^53")]
        Expr::Literal(LiteralValue::Int(number)) => Some(Operand::Number(*number.inner() as f64)),
        Expr::Literal(LiteralValue::Double(number)) => Some(Operand::Number(*number.inner())),
        Expr::Literal(LiteralValue::Boolean(value)) => Some(Operand::Bool(*value.inner())),
        Expr::Literal(LiteralValue::String(text)) => Some(Operand::Text(text.inner().to_owned())),
        Expr::Call(call) if call.func_name == operators::NEGATE => match literal(call.args.first()?)? {
            Operand::Number(number) => Some(Operand::Number(-number)),
            _ => None,
        },
        _ => None,
    }
}

fn write(term: &Term, form: &Form) -> Option<Value> {
    let question = find(form, &term.name)?;
    if (question.kind == QuestionKind::Bp) != term.name.contains('.') && term.operator != Operator::Exists {
        return None;
    }
    let asked = match question.kind {
        QuestionKind::Bp if !term.name.contains('.') => format!("{}.sbp", term.name),
        _ => term.name.clone(),
    };
    let mut when = Map::new();
    when.insert("question".to_owned(), json!(asked));
    when.insert("operator".to_owned(), json!(word(term.operator)));
    let (key, answer) = if term.operator == Operator::Exists {
        let Operand::Bool(held) = term.operand else { return None };
        ("answerBoolean", json!(held))
    } else {
        answer(question, form, &term.operand)?
    };
    when.insert(key.to_owned(), answer);
    Some(Value::Object(when))
}

fn answer(question: &Question, form: &Form, operand: &Operand) -> Option<(&'static str, Value)> {
    Some(match (question.kind, operand) {
        (QuestionKind::Single | QuestionKind::Multi, Operand::Text(code)) => {
            ("answerCoding", json!({ "system": super::own::option_system(form, question), "code": code }))
        }
        (QuestionKind::Bool, Operand::Bool(value)) => ("answerBoolean", json!(value)),
        (QuestionKind::Number, Operand::Number(number)) if question.range.decimals.unwrap_or(0) > 0 => {
            ("answerDecimal", json!(number))
        }
        (QuestionKind::Number | QuestionKind::Scale | QuestionKind::Bp, Operand::Number(number)) => {
            ("answerInteger", super::own::integer(*number)?)
        }
        (QuestionKind::Date, Operand::Text(day)) if super::value::is_date(day) => ("answerDate", json!(day)),
        (QuestionKind::Text, Operand::Text(text)) => ("answerString", json!(text)),
        _ => return None,
    })
}

fn word(operator: Operator) -> &'static str {
    match operator {
        Operator::Exists => "exists",
        Operator::Equal => "=",
        Operator::NotEqual => "!=",
        Operator::Greater => ">",
        Operator::Less => "<",
        Operator::GreaterOrEqual => ">=",
        Operator::LessOrEqual => "<=",
    }
}

/// Our option's code for an answer of the file.
type OptionOf<'a> = Box<dyn Fn(&Given<'_>) -> Option<String> + 'a>;

/// What an imported condition may ask about: our name of the item, its kind, and its option's code of an answer.
pub(super) struct Asked<'a> {
    pub name: String,
    pub kind: QuestionKind,
    pub option: OptionOf<'a>,
}

/// Our condition for `enableWhen`; none when one of its comparisons has no words here.
pub(super) fn cel<'a>(
    when: &[EnableWhen<'_>],
    any: bool,
    asked: impl Fn(usize) -> Option<Asked<'a>>,
) -> Option<String> {
    let known_answered = |question: usize| {
        !any && when.iter().any(|other| {
            other.question == question
                && other.operator == Operator::Exists
                && other.answer == Given::Boolean(true)
        })
    };
    let mut parts: Vec<String> = Vec::new();
    let mut equal: Vec<(String, String)> = Vec::new();
    for one in when {
        let about = asked(one.question)?;
        let name = &about.name;
        let root = name.split_once('.').map_or(name.as_str(), |(root, _)| root);
        let part = match (one.operator, &one.answer) {
            (Operator::Exists, Given::Boolean(true)) => {
                let said = when.iter().any(|other| {
                    other.question == one.question && other.operator == Operator::NotEqual && !any
                });
                if said { continue } else { format!("answered({root})") }
            }
            (Operator::Exists, _) => format!("!answered({root})"),
            (Operator::NotEqual, answer) => {
                let unlike = compare(&about, Operator::NotEqual, answer)?;
                if known_answered(one.question) { unlike } else { format!("(!answered({root}) || {unlike})") }
            }
            (operator, answer) => {
                if operator == Operator::Equal && about.kind == QuestionKind::Single {
                    equal.push((name.clone(), quoted(&(about.option)(answer)?)));
                }
                compare(&about, operator, answer)?
            }
        };
        parts.push(part);
    }
    if any && equal.len() == when.len() && equal.len() > 1 && equal.iter().all(|one| one.0 == equal[0].0) {
        let codes: Vec<&str> = equal.iter().map(|one| one.1.as_str()).collect();
        return Some(format!("{} in [{}]", equal[0].0, codes.join(", ")));
    }
    (!parts.is_empty()).then(|| parts.join(if any { " || " } else { " && " }))
}

fn compare(about: &Asked<'_>, operator: Operator, answer: &Given<'_>) -> Option<String> {
    let name = &about.name;
    let sign = match operator {
        Operator::Equal => "==",
        other => word(other),
    };
    let equality = matches!(operator, Operator::Equal | Operator::NotEqual);
    Some(match about.kind {
        QuestionKind::Single if equality => format!("{name} {sign} {}", quoted(&(about.option)(answer)?)),
        QuestionKind::Multi if equality => {
            let not = if operator == Operator::NotEqual { "!" } else { "" };
            format!("{not}chosen({name}, {})", quoted(&(about.option)(answer)?))
        }
        QuestionKind::Bool if equality => match answer {
            Given::Boolean(value) => format!("{name} {sign} {value}"),
            _ => return None,
        },
        QuestionKind::Number | QuestionKind::Scale | QuestionKind::Bp => {
            let number = answer.number().filter(|number| number.is_finite() && number.abs() < 1e12)?;
            format!("{name} {sign} {number}")
        }
        QuestionKind::Date => match answer {
            Given::Date(day) if day.len() == 10 => format!("{name} {sign} '{day}'"),
            _ => return None,
        },
        QuestionKind::Text if equality => match answer {
            Given::String(words) => format!("{name} {sign} {}", quoted(words)),
            _ => return None,
        },
        _ => return None,
    })
}

/// A literal of CEL.
fn quoted(text: &str) -> String {
    let mut literal = String::from("'");
    for letter in text.chars() {
        match letter {
            '\\' => literal.push_str("\\\\"),
            '\'' => literal.push_str("\\'"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            other => literal.push(other),
        }
    }
    literal.push('\'');
    literal
}
