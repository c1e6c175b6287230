//! Type checking of expressions, and their rewriting to plain CEL over prefixed names.

use std::collections::BTreeSet;

use cel::common::ast::{CallExpr, Expr, IdedExpr, ListExpr, LiteralValue, operators};
use cel::common::types::CelDouble;
use chrono::NaiveDate;

use super::problem::Problem;
use super::scope::{Scope, VarType};

/// How many nodes an expression may have.
const MAX_NODES: usize = 300;

/// The type of a (sub)expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A number.
    Number,
    /// True or false.
    Bool,
    /// A string literal.
    Literal(String),
    /// Free text.
    Text,
    /// A date.
    Date,
    /// One of these codes.
    Choice(Vec<String>),
    /// Any of these codes.
    Choices(Vec<String>),
    /// A list of literals.
    List(Vec<Kind>),
}

/// The name under which a value is kept, so that no name meets CEL's own (`int`, `type`).
pub(super) fn slot(name: &str) -> String {
    format!("@{name}")
}

/// Checks one expression.
pub(super) struct Checker<'a> {
    scope: &'a Scope,
    path: &'a str,
    nodes: usize,
    /// The names met so far.
    pub(super) names: BTreeSet<String>,
}

type Checked = Result<(IdedExpr, Kind), Problem>;

impl<'a> Checker<'a> {
    /// A checker that reports at `path`.
    pub(super) fn new(scope: &'a Scope, path: &'a str) -> Self {
        Self { scope, path, nodes: 0, names: BTreeSet::new() }
    }

    fn problem(&self, code: &str) -> Problem {
        Problem::new(self.path, code)
    }

    /// Checks and rewrites.
    pub(super) fn check(&mut self, node: IdedExpr) -> Checked {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(self.problem("expr_too_complex"));
        }
        let id = node.id;
        match node.expr {
            Expr::Literal(literal) => self.literal(id, literal),
            Expr::Ident(name) => self.name(id, name),
            Expr::Select(select) if !select.test => match select.operand.expr {
                Expr::Ident(root) => self.name(id, format!("{root}.{}", select.field)),
                _ => Err(self.problem("expr_unsupported")),
            },
            Expr::List(list) => self.list(id, list),
            Expr::Call(call) => self.call(id, call),
            _ => Err(self.problem("expr_unsupported")),
        }
    }

    fn literal(&self, id: u64, literal: LiteralValue) -> Checked {
        let double = |number: f64| LiteralValue::Double(CelDouble::from(number));
        let (literal, kind) = match literal {
            #[allow(clippy::cast_precision_loss, reason = "literals of thresholds are far below 2^53")]
            LiteralValue::Int(int) => (double(*int.inner() as f64), Kind::Number),
            #[allow(clippy::cast_precision_loss, reason = "literals of thresholds are far below 2^53")]
            LiteralValue::UInt(int) => (double(*int.inner() as f64), Kind::Number),
            LiteralValue::Double(number) => (LiteralValue::Double(number), Kind::Number),
            LiteralValue::Boolean(value) => (LiteralValue::Boolean(value), Kind::Bool),
            LiteralValue::String(text) => {
                let kind = Kind::Literal(text.inner().to_owned());
                (LiteralValue::String(text), kind)
            }
            LiteralValue::Bytes(_) | LiteralValue::Null => return Err(self.problem("expr_unsupported")),
        };
        Ok((IdedExpr { id, expr: Expr::Literal(literal) }, kind))
    }

    fn name(&mut self, id: u64, name: String) -> Checked {
        let kind = match self.scope.get(&name) {
            None => return Err(self.problem("expr_unknown_name").with("name", name)),
            Some(VarType::Number) => Kind::Number,
            Some(VarType::Bool) => Kind::Bool,
            Some(VarType::Text) => Kind::Text,
            Some(VarType::Date) => Kind::Date,
            Some(VarType::Choice(codes)) => Kind::Choice(codes.clone()),
            Some(VarType::Choices(codes)) => Kind::Choices(codes.clone()),
            Some(VarType::Bp) => return Err(self.problem("expr_needs_field").with("name", name)),
        };
        self.note(&name);
        Ok((IdedExpr { id, expr: Expr::Ident(slot(&name)) }, kind))
    }

    fn note(&mut self, name: &str) {
        if let Some((root, _)) = name.split_once('.')
            && self.scope.is_question(root)
        {
            self.names.insert(root.to_owned());
        }
        self.names.insert(name.to_owned());
    }

    fn list(&mut self, id: u64, list: ListExpr) -> Checked {
        let (mut elements, mut kinds) = (Vec::new(), Vec::new());
        for element in list.elements {
            let (element, kind) = self.check(element)?;
            if !matches!(kind, Kind::Literal(_) | Kind::Number) {
                return Err(self.problem("expr_unsupported"));
            }
            elements.push(element);
            kinds.push(kind);
        }
        Ok((IdedExpr { id, expr: Expr::List(ListExpr::new(elements)) }, Kind::List(kinds)))
    }

    fn call(&mut self, id: u64, call: CallExpr) -> Checked {
        if call.target.is_some() {
            return Err(self.problem("expr_unknown_function").with("name", call.func_name));
        }
        match call.func_name.as_str() {
            "chosen" | "answered" | "points" | "mentions" => return self.function(id, call),
            operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT => {
                return self.operator(
                    id,
                    call,
                    |kinds| kinds.iter().all(|kind| *kind == Kind::Bool),
                    Kind::Bool,
                );
            }
            operators::ADD
            | operators::SUBSTRACT
            | operators::MULTIPLY
            | operators::DIVIDE
            | operators::NEGATE => {
                return self.operator(
                    id,
                    call,
                    |kinds| kinds.iter().all(|kind| *kind == Kind::Number),
                    Kind::Number,
                );
            }
            operators::CONDITIONAL => return self.conditional(id, call),
            operators::EQUALS | operators::NOT_EQUALS | operators::IN => {}
            operators::LESS | operators::LESS_EQUALS | operators::GREATER | operators::GREATER_EQUALS => {}
            name => {
                let shown = name.trim_matches(|letter| matches!(letter, '_' | '@')).to_owned();
                return Err(self.problem("expr_unknown_function").with("name", shown));
            }
        }
        let (func_name, args, kinds) = self.arguments(call)?;
        let [left, right] = kinds.as_slice() else { return Err(self.problem("expr_syntax")) };
        match func_name.as_str() {
            operators::IN => self.membership(left, right)?,
            operators::EQUALS | operators::NOT_EQUALS => self.comparable(left, right, false)?,
            _ => self.comparable(left, right, true)?,
        }
        Ok((IdedExpr { id, expr: Expr::Call(CallExpr { func_name, target: None, args }) }, Kind::Bool))
    }

    fn arguments(&mut self, call: CallExpr) -> Result<(String, Vec<IdedExpr>, Vec<Kind>), Problem> {
        let (mut args, mut kinds) = (Vec::new(), Vec::new());
        for arg in call.args {
            let (arg, kind) = self.check(arg)?;
            args.push(arg);
            kinds.push(kind);
        }
        Ok((call.func_name, args, kinds))
    }

    fn operator(&mut self, id: u64, call: CallExpr, fits: impl Fn(&[Kind]) -> bool, gives: Kind) -> Checked {
        let (func_name, args, kinds) = self.arguments(call)?;
        if !fits(&kinds) {
            return Err(self.problem("expr_type"));
        }
        Ok((IdedExpr { id, expr: Expr::Call(CallExpr { func_name, target: None, args }) }, gives))
    }

    fn conditional(&mut self, id: u64, call: CallExpr) -> Checked {
        let (func_name, args, kinds) = self.arguments(call)?;
        let same = kinds.len() == 3 && kinds[0] == Kind::Bool && kinds[1] == kinds[2];
        if !same || !matches!(kinds[1], Kind::Bool | Kind::Number) {
            return Err(self.problem("expr_type"));
        }
        let gives = kinds[1].clone();
        Ok((IdedExpr { id, expr: Expr::Call(CallExpr { func_name, target: None, args }) }, gives))
    }

    fn option(&self, codes: &[String], code: &str) -> Result<(), Problem> {
        if codes.iter().any(|known| known == code) {
            return Ok(());
        }
        Err(self.problem("expr_unknown_option").with("option", code).with("options", codes.join(" ")))
    }

    fn comparable(&self, left: &Kind, right: &Kind, ordered: bool) -> Result<(), Problem> {
        match (left, right) {
            (Kind::Number, Kind::Number) | (Kind::Date, Kind::Date) => Ok(()),
            (Kind::Date, Kind::Literal(text)) | (Kind::Literal(text), Kind::Date) => text
                .parse::<NaiveDate>()
                .map(|_| ())
                .map_err(|_| self.problem("expr_date").with("text", text)),
            (Kind::Choices(_), _) | (_, Kind::Choices(_)) => Err(self.problem("expr_needs_chosen")),
            _ if ordered => Err(self.problem("expr_type")),
            (Kind::Bool, Kind::Bool)
            | (Kind::Text, Kind::Text | Kind::Literal(_))
            | (Kind::Literal(_), Kind::Text) => Ok(()),
            (Kind::Choice(codes), Kind::Literal(code)) | (Kind::Literal(code), Kind::Choice(codes)) => {
                self.option(codes, code)
            }
            (Kind::Choice(_), Kind::Choice(_)) => Ok(()),
            _ => Err(self.problem("expr_type")),
        }
    }

    fn membership(&self, left: &Kind, right: &Kind) -> Result<(), Problem> {
        match (left, right) {
            (Kind::Literal(code), Kind::Choices(codes)) => self.option(codes, code),
            (Kind::Choices(_), _) => Err(self.problem("expr_needs_chosen")),
            (_, Kind::List(elements)) => {
                elements.iter().try_for_each(|kind| self.comparable(left, kind, false))
            }
            _ => Err(self.problem("expr_type")),
        }
    }

    /// `chosen`, `answered`, `points`, `mentions`: rewritten to plain CEL.
    fn function(&mut self, id: u64, mut call: CallExpr) -> Checked {
        let wrong = |checker: &Self, name: &str| Err(checker.problem("expr_arguments").with("name", name));
        let rest = if call.args.is_empty() { Vec::new() } else { call.args.split_off(1) };
        let Some(IdedExpr { expr: Expr::Ident(name), id: name_id }) = call.args.pop() else {
            return wrong(self, &call.func_name);
        };
        if !self.scope.is_question(&name) {
            return Err(self.problem("expr_unknown_name").with("name", name));
        }
        self.note(&name);
        match (call.func_name.as_str(), rest.len()) {
            ("answered", 0) => Ok((ident(id, &format!("{name}#answered")), Kind::Bool)),
            ("points", 0) if self.scope.has_points(&name) => {
                Ok((ident(id, &format!("{name}#points")), Kind::Number))
            }
            ("points", 0) => Err(self.problem("expr_no_points").with("name", name)),
            ("chosen", 1) => {
                let (code, kind) = self.only(rest)?;
                match (self.scope.get(&name), &kind) {
                    (Some(VarType::Choices(codes)), Kind::Literal(code)) => self.option(codes, code)?,
                    (Some(VarType::Choices(_)), _) => return wrong(self, "chosen"),
                    _ => return Err(self.problem("expr_chosen_needs_multi").with("name", name)),
                }
                Ok((binary(id, operators::IN, code, ident(name_id, &name)), Kind::Bool))
            }
            ("mentions", 1) => self.mentions(id, name_id, &name, rest),
            _ => wrong(self, &call.func_name),
        }
    }

    fn only(&mut self, mut args: Vec<IdedExpr>) -> Checked {
        match args.pop() {
            Some(arg) => self.check(arg),
            None => Err(self.problem("expr_syntax")),
        }
    }

    /// `mentions(t, ['a', 'b'])` → `t.contains('a') || t.contains('b')`.
    fn mentions(&mut self, id: u64, name_id: u64, name: &str, rest: Vec<IdedExpr>) -> Checked {
        let (list, kind) = self.only(rest)?;
        let literals = matches!(&kind, Kind::List(kinds) if !kinds.is_empty()
            && kinds.iter().all(|kind| matches!(kind, Kind::Literal(word) if !word.is_empty())));
        let (Expr::List(list), Some(VarType::Text), true) = (list.expr, self.scope.get(name), literals)
        else {
            return Err(self.problem("expr_arguments").with("name", "mentions"));
        };
        let found = list.elements.into_iter().map(|word| IdedExpr {
            id,
            expr: Expr::Call(CallExpr {
                func_name: "contains".to_owned(),
                target: Some(Box::new(ident(name_id, name))),
                args: vec![word],
            }),
        });
        let any = found.reduce(|left, right| binary(id, operators::LOGICAL_OR, left, right));
        any.map(|tree| (tree, Kind::Bool))
            .ok_or_else(|| self.problem("expr_arguments").with("name", "mentions"))
    }
}

fn ident(id: u64, name: &str) -> IdedExpr {
    IdedExpr { id, expr: Expr::Ident(slot(name)) }
}

fn binary(id: u64, operator: &str, left: IdedExpr, right: IdedExpr) -> IdedExpr {
    let call = CallExpr { func_name: operator.to_owned(), target: None, args: vec![left, right] };
    IdedExpr { id, expr: Expr::Call(call) }
}
