//! Compiled expressions: CEL text → checked, rewritten tree → value.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, LazyLock};

use cel::parser::Parser;
use cel::{Context, Env, IdedExpr, Value};

use super::check::{self, Kind};
use super::problem::Problem;
use super::scope::Scope;

/// The longest expression, in bytes. The longest shipped one has 160.
const MAX_LENGTH: usize = 1000;
/// How deep an expression may nest.
const MAX_DEPTH: u16 = 24;

static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// The result of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It depends on something that is not known.
    Unknown,
}

/// A checked expression, compiled once.
#[derive(Clone)]
pub struct Expression {
    tree: IdedExpr,
    names: BTreeSet<String>,
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expression").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Expression {
    /// Compiles a condition.
    ///
    /// # Errors
    /// A problem at `path` when the text is too long, not of the language, or uses names, options or types wrongly.
    pub fn condition(source: &str, scope: &Scope, path: &str) -> Result<Self, Problem> {
        Self::compile(source, scope, path, Kind::Bool, "expr_not_condition")
    }

    /// Compiles a calculation.
    ///
    /// # Errors
    /// As for [`Expression::condition`].
    pub fn number(source: &str, scope: &Scope, path: &str) -> Result<Self, Problem> {
        Self::compile(source, scope, path, Kind::Number, "expr_not_number")
    }

    fn compile(
        source: &str,
        scope: &Scope,
        path: &str,
        want: Kind,
        otherwise: &str,
    ) -> Result<Self, Problem> {
        if source.trim().is_empty() {
            return Err(Problem::new(path, "expr_empty"));
        }
        if source.len() > MAX_LENGTH {
            return Err(Problem::new(path, "expr_too_long").with("max", MAX_LENGTH));
        }
        if nesting(source) > usize::from(MAX_DEPTH) {
            return Err(Problem::new(path, "expr_too_complex"));
        }
        let parsed = parse_within_limits(source).ok_or_else(|| Problem::new(path, "expr_syntax"))?;
        let mut checker = check::Checker::new(scope, path);
        let (tree, kind) = checker.check(parsed)?;
        if kind != want {
            return Err(Problem::new(path, otherwise));
        }
        Ok(Self { tree, names: checker.names })
    }

    /// The names it uses (`bp.sbp` counts as `bp` too).
    pub fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// Evaluates a condition. Anything that cannot be computed is unknown.
    pub fn holds(&self, values: &Values) -> Truth {
        match Value::resolve(&self.tree, &values.0) {
            Ok(Value::Bool(true)) => Truth::True,
            Ok(Value::Bool(false)) => Truth::False,
            _ => Truth::Unknown,
        }
    }

    /// Evaluates a calculation.
    pub fn compute(&self, values: &Values) -> Option<f64> {
        match Value::resolve(&self.tree, &values.0) {
            Ok(Value::Float(number)) if number.is_finite() => Some(number),
            _ => None,
        }
    }
}

/// The tree of a text, unchecked; none when it is too long, too deep or not CEL.
pub(super) fn parse(source: &str) -> Option<IdedExpr> {
    let fits = source.len() <= MAX_LENGTH && nesting(source) <= usize::from(MAX_DEPTH);
    if fits { parse_within_limits(source) } else { None }
}

fn parse_within_limits(source: &str) -> Option<IdedExpr> {
    Parser::new().max_recursion_depth(MAX_DEPTH).error_recovery_limit(1).parse(source).ok()
}

/// The deepest nesting of brackets, and the longest run of prefix operators, outside of strings.
fn nesting(source: &str) -> usize {
    let (mut depth, mut deepest, mut prefixes) = (0_usize, 0_usize, 0_usize);
    let mut quote = None;
    for letter in source.chars() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(letter),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        prefixes = if matches!(letter, '!' | '-' | '?') { prefixes + 1 } else { prefixes };
        deepest = deepest.max(depth).max(prefixes);
    }
    deepest
}

/// Known values by name. Names that are absent are unknown.
pub struct Values(Context<'static, 'static>);

impl Default for Values {
    fn default() -> Self {
        Self(Context::with_env(Arc::clone(&ENV)))
    }
}

impl Values {
    fn set(&mut self, name: &str, value: Value) {
        self.0.add_variable_from_value(check::slot(name), value);
    }

    /// Sets a number.
    pub fn number(&mut self, name: &str, value: f64) {
        self.set(name, Value::Float(value));
    }

    /// Sets true or false.
    pub fn bool(&mut self, name: &str, value: bool) {
        self.set(name, Value::Bool(value));
    }

    /// Sets a code, text or ISO date.
    pub fn text(&mut self, name: &str, value: &str) {
        self.set(name, Value::String(Arc::new(value.to_owned())));
    }

    /// Sets a set of codes.
    pub fn codes(&mut self, name: &str, value: &[String]) {
        let list = value.iter().map(|code| Value::String(Arc::new(code.clone()))).collect();
        self.set(name, Value::List(Arc::new(list)));
    }

    /// Sets whether a question was answered.
    pub(super) fn answered(&mut self, name: &str, value: bool) {
        self.bool(&format!("{name}#answered"), value);
    }

    /// Sets the points of the chosen option.
    pub(super) fn points(&mut self, name: &str, value: f64) {
        self.number(&format!("{name}#points"), value);
    }
}
