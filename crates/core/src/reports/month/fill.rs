//! The hospital's own form: what its placeholders may name, and what stands for them. Sums only, nothing of a patient.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use aftercare_domain::error_code::ErrorCode;
use aftercare_template::{Data, Filled, Limits, Single, Table, TemplateError, Value};
use chrono::{Datelike, NaiveDate};
use serde::Serialize;
use ts_rs::TS;

use super::book::{Order, Shown};
use super::content::{COUNTS, Group};
use super::freeze::SiteState;
use super::restate::Compared;
use super::voice::{MONTH, Voice};
use super::{Population as P, sheets};
use crate::error::{Error, Result};
use crate::words::Language;

/// Bytes of a template on disk; a form with pictures has some megabytes.
const TEMPLATE_BYTES: u64 = 32 << 20;

/// Something that a template may name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "MonthPlaceholder")]
pub struct PlaceholderInfo {
    /// As it is written between the braces; `table.field` in a repeated row.
    pub name: String,
    /// The table whose rows repeat; none for a single value.
    pub table: Option<String>,
    /// What stands there.
    pub meaning: String,
}

/// The names of single values beside figures and counts, in the order they are listed.
const FACTS: [&str; 10] = [
    "hospital",
    "month",
    "period.from",
    "period.to",
    "as_of",
    "made",
    "frozen",
    "frozen_by",
    "frozen_why",
    "watermark",
];
/// Single values that are scores.
const SCORES: [&str; 2] = ["SAT_SCORE", "NPS"];

/// Tables and their fields.
const TABLES: [(&str, &[&str]); 9] = [
    ("figures", &["name", "numerator", "denominator", "share"]),
    (
        "departments",
        &[
            "name",
            "discharges",
            "followed",
            "ratio",
            "due",
            "done",
            "done_share",
            "timely",
            "calls",
            "connected",
            "complaints",
            "surveys",
            "score",
        ],
    ),
    ("doctors", &["name", "department", "discharges", "followed", "ratio", "surveys", "score"]),
    (
        "nurses",
        &["name", "calls", "connected", "connected_share", "talk_minutes", "due", "done", "timely", "alerts"],
    ),
    ("days", &["day", "due", "done"]),
    ("categories", &["name", "complaints"]),
    ("survey_kinds", &["name", "surveys", "valid", "score", "nps"]),
    ("sites", &["name", "as_of", "silent", "unsent", "complete"]),
    ("restated", &["name", "before", "after"]),
];

/// Everything that a template may name, with what it means.
pub(super) fn placeholders(language: Language) -> Vec<PlaceholderInfo> {
    let words = MONTH.of(language);
    let mut list = Vec::new();
    let mut add = |name: String, table: Option<&str>, meaning: String| {
        list.push(PlaceholderInfo { name, table: table.map(str::to_owned), meaning });
    };
    for name in FACTS {
        add(name.to_owned(), None, words.text(&format!("placeholder.{}", name.replace('.', "_"))).to_owned());
    }
    for one in &super::content::FIGURES {
        let title = words.text(&format!("figure.{}", one.code)).to_owned();
        add(format!("{}.num", one.code), None, format!("{title} · {}", words.text("column.numerator")));
        add(format!("{}.den", one.code), None, format!("{title} · {}", words.text("column.denominator")));
        add(one.code.to_owned(), None, title);
    }
    for name in COUNTS.iter().map(|(name, ..)| *name).chain(SCORES) {
        add(name.to_owned(), None, words.text(&format!("figure.{name}")).to_owned());
    }
    for (table, fields) in TABLES {
        let key = format!("table.{table}");
        let title = words.text(&key);
        for field in fields {
            let key = format!("field.{table}.{field}");
            let meaning = words.find(&key).unwrap_or_else(|| words.text(field_key(field)));
            add(format!("{table}.{field}"), Some(table), format!("{title} · {meaning}"));
        }
    }
    list
}

/// Fields are named like the columns of the sheets.
fn field_key(field: &str) -> &'static str {
    match field {
        "name" => "column.name",
        "numerator" => "column.numerator",
        "denominator" => "column.denominator",
        "share" => "column.share",
        "department" => "column.department",
        "discharges" => "column.discharges",
        "followed" => "column.followed",
        "ratio" => "column.ratio",
        "due" => "column.due",
        "done" => "column.done",
        "done_share" => "column.done_share",
        "timely" => "column.timely",
        "calls" => "column.calls",
        "connected" => "column.connected",
        "connected_share" => "column.connected_share",
        "talk_minutes" => "column.talk_minutes",
        "alerts" => "column.alerts",
        "complaints" => "column.complaints",
        "surveys" => "column.surveys",
        "valid" => "column.valid",
        "score" => "column.score",
        "nps" => "column.nps",
        "day" => "column.day",
        "as_of" => "cover.as_of",
        "silent" => "cover.silent",
        "unsent" => "cover.unsent",
        "complete" => "cover.complete",
        "before" => "restated.before",
        _ => "restated.after",
    }
}

fn text(value: impl Into<String>) -> Value {
    Value::Text(value.into())
}

fn number(value: i64) -> Value {
    Value::Number(value as f64)
}

fn share(numerator: i64, denominator: i64) -> Value {
    if denominator == 0 { text("—") } else { Value::Share(numerator as f64 / denominator as f64) }
}

fn decimal(value: Option<f64>) -> Value {
    value.map_or_else(|| text("—"), |value| Value::Number((value * 10.0).round() / 10.0))
}

fn day(day: NaiveDate) -> Value {
    Value::Day(f64::from(day.num_days_from_ce() - 693_594), day.to_string())
}

/// What stands for the placeholders.
pub(super) fn data(
    shown: &Shown,
    order: &Order<'_>,
    voice: &Voice,
    hospital: &str,
    compared: Option<&Compared>,
) -> Data {
    let mut data = Data::default();
    let frozen = shown.frozen.as_ref().map(|frozen| &frozen.item);
    let facts: [Value; 10] = [
        text(hospital),
        text(voice.month(&order.month)),
        day(order.month.from),
        day(order.month.to),
        text(frozen.map_or_else(|| order.made.clone(), |item| sheets::local_minute(item.as_of))),
        text(order.made.clone()),
        text(voice.text(if frozen.is_some() { "yes" } else { "no" })),
        text(frozen.map_or("", |item| item.by.as_str())),
        text(frozen.map_or("", |item| item.reason.as_str())),
        text(order.watermark.clone()),
    ];
    for (name, value) in FACTS.into_iter().zip(facts) {
        data.singles.insert(name.to_owned(), Single { value, repeats: true });
    }
    let mut single = |name: String, value| {
        data.singles.insert(name, Single { value, repeats: false });
    };
    for figure in &shown.figures {
        single(figure.code.clone(), share(figure.numerator, figure.denominator));
        single(format!("{}.num", figure.code), number(figure.numerator));
        single(format!("{}.den", figure.code), number(figure.denominator));
    }
    let total = &shown.content.total;
    for (name, population, flag) in COUNTS {
        single(name.to_owned(), number(total.of(population, flag)));
    }
    for (name, value) in SCORES.into_iter().zip([total.score(), total.nps()]) {
        single(name.to_owned(), decimal(value));
    }
    let sites = frozen.map_or(&order.sites, |item| &item.sites);
    let lines = lines(shown, voice, sites, compared);
    data.tables = TABLES
        .into_iter()
        .zip(lines)
        .map(|((name, fields), lines)| (name, Table { fields: fields.to_vec(), lines }))
        .collect::<BTreeMap<_, _>>();
    data
}

type Lines = Vec<Vec<Value>>;

/// The lines of the tables, in their order.
fn lines(shown: &Shown, voice: &Voice, sites: &[SiteState], compared: Option<&Compared>) -> [Lines; 9] {
    let content = &shown.content;
    let figure = |code: &str| text(voice.text(&format!("figure.{code}")));
    let figures = shown.figures.iter().map(|one| {
        vec![
            figure(&one.code),
            number(one.numerator),
            number(one.denominator),
            share(one.numerator, one.denominator),
        ]
    });
    let days = content.days.iter().filter_map(|(on, group)| {
        let on = on.parse().ok()?;
        Some(vec![day(on), number(group.of(P::Tasks, "counted")), number(group.of(P::Tasks, "done"))])
    });
    let mut categories: Vec<(&str, i64)> = content
        .categories
        .iter()
        .map(|(code, group)| (voice.category(code), group.of(P::Complaints, "complaint")))
        .filter(|(_, count)| *count > 0)
        .collect();
    categories.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    let kinds = content.kinds.iter().map(|(kind, group)| {
        let of = |flag| number(group.of(P::Surveys, flag));
        let name = voice.words.find(&format!("survey_kind.{kind}")).unwrap_or(kind);
        vec![text(name), of("everyone"), of("valid"), decimal(group.score()), decimal(group.nps())]
    });
    let sites = sites.iter().map(|site| {
        vec![
            text(site.name.clone()),
            text(site.as_of.map_or_else(|| voice.text("cover.never").to_owned(), sheets::local_minute)),
            number(i64::from(site.silent)),
            number(site.unsent),
            text(voice.text(if site.complete { "yes" } else { "no" })),
        ]
    });
    let restated = compared.into_iter().flat_map(|compared| &compared.restatement.figures);
    let restated = restated.filter(|one| one.before != one.after).map(|one| {
        let of = |figure: &super::MonthFigure| text(format!("{} / {}", figure.numerator, figure.denominator));
        vec![figure(&one.before.code), of(&one.before), of(&one.after)]
    });
    [
        figures.collect(),
        departments(shown, voice),
        doctors(shown, voice),
        nurses(shown, voice),
        days.collect(),
        categories.into_iter().map(|(name, count)| vec![text(name), number(count)]).collect(),
        kinds.collect(),
        sites.collect(),
        restated.collect(),
    ]
}

fn departments(shown: &Shown, voice: &Voice) -> Lines {
    let mut rows: Vec<(&String, &Group)> = shown.content.departments.iter().collect();
    rows.sort_by_key(|(name, group)| (std::cmp::Reverse(group.of(P::Discharges, "everyone")), *name));
    let line = |(name, group): (&String, &Group)| {
        let of = |population, flag| group.of(population, flag);
        let (all, followed) = (of(P::Discharges, "everyone"), of(P::Discharges, "followed"));
        let (due, done) = (of(P::Tasks, "counted"), of(P::Tasks, "done"));
        vec![
            text(voice.or_none(name)),
            number(all),
            number(followed),
            share(followed, all),
            number(due),
            number(done),
            share(done, due),
            number(of(P::Tasks, "timely")),
            number(of(P::Calls, "everyone")),
            number(of(P::Calls, "connected")),
            number(of(P::Complaints, "complaint")),
            number(of(P::Surveys, "valid")),
            decimal(group.score()),
        ]
    };
    rows.into_iter().map(line).collect()
}

fn doctors(shown: &Shown, voice: &Voice) -> Lines {
    let mut rows: Vec<(&(String, String), &Group)> = shown.content.doctors.iter().collect();
    rows.sort_by_key(|(key, group)| (std::cmp::Reverse(group.of(P::Discharges, "everyone")), *key));
    let line = |((doctor, department), group): (&(String, String), &Group)| {
        let (all, followed) = (group.of(P::Discharges, "everyone"), group.of(P::Discharges, "followed"));
        vec![
            text(voice.or_none(doctor)),
            text(voice.or_none(department)),
            number(all),
            number(followed),
            share(followed, all),
            number(group.of(P::Surveys, "valid")),
            decimal(group.score()),
        ]
    };
    rows.into_iter().map(line).collect()
}

fn nurses(shown: &Shown, voice: &Voice) -> Lines {
    let mut rows: Vec<(&str, &Group)> =
        shown.content.nurses.iter().map(|(id, group)| (voice.person(id), group)).collect();
    rows.sort_by_key(|(name, group)| (std::cmp::Reverse(group.tally(P::Calls).lines), *name));
    let line = |(name, group): (&str, &Group)| {
        let (calls, connected) = (group.of(P::Calls, "everyone"), group.of(P::Calls, "connected"));
        vec![
            text(name),
            number(calls),
            number(connected),
            share(connected, calls),
            decimal(Some(group.tally(P::Calls).value as f64 / 60.0)),
            number(group.of(P::Tasks, "counted")),
            number(group.of(P::Tasks, "done")),
            number(group.of(P::Tasks, "timely")),
            number(group.tally(P::Alerts).lines),
        ]
    };
    rows.into_iter().map(line).collect()
}

/// Fills `template` into `target`, which appears only when it is whole.
///
/// # Errors
/// `Template…` saying sheet and cell; `FileUnreadable`, `FileUnwritable`.
pub(super) fn fill(template: &Path, data: &Data, target: &Path) -> Result<Filled> {
    let unreadable = |error: std::io::Error| Error::new(ErrorCode::FileUnreadable).caused_by(error);
    let file = File::open(template).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.len() > TEMPLATE_BYTES {
        return Err(Error::new(ErrorCode::TemplateTooLarge).with("max", TEMPLATE_BYTES >> 20));
    }
    let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let unwritable = |error: std::io::Error| Error::new(ErrorCode::FileUnwritable).caused_by(error);
    let out = tempfile::Builder::new().prefix(".aftercare-month-").tempfile_in(folder).map_err(unwritable)?;
    let filled =
        aftercare_template::fill(std::io::BufReader::new(file), data, &Limits::default(), out.as_file())
            .map_err(refused)?;
    out.as_file().sync_all()?;
    out.persist(target).map_err(|error| unwritable(error.error))?;
    Ok(filled)
}

/// A template's fault as an error that says where.
fn refused(error: TemplateError) -> Error {
    use TemplateError as T;
    let at = |code, place: aftercare_template::Place| {
        Error::new(code).with("sheet", place.sheet).with("cell", place.cell)
    };
    match error {
        T::NotWorkbook => Error::new(ErrorCode::TemplateNotWorkbook),
        T::Damaged { part } => Error::new(ErrorCode::TemplateDamaged).with("part", part),
        T::Encrypted => Error::new(ErrorCode::TemplateEncrypted),
        T::Macros => Error::new(ErrorCode::TemplateMacros),
        T::TooLarge { .. } => Error::new(ErrorCode::TemplateTooLarge).with("max", TEMPLATE_BYTES >> 20),
        T::NoPlaceholder => Error::new(ErrorCode::TemplateEmpty),
        T::Unknown { at: place, name } => at(ErrorCode::TemplateUnknown, place).with("name", name),
        T::Doubled { at: place, first, name } => {
            at(ErrorCode::TemplateDoubled, place).with("name", name).with("first", first)
        }
        T::NotClosed { at: place, name } => at(ErrorCode::TemplateNotClosed, place).with("name", name),
        T::NotOpened { at: place, name } => at(ErrorCode::TemplateNotOpened, place).with("name", name),
        T::Nested { at: place, name, within } => {
            at(ErrorCode::TemplateNested, place).with("name", name).with("within", within)
        }
        T::EmptyBlock { at: place, name } => at(ErrorCode::TemplateEmptyBlock, place).with("name", name),
        T::Broken { at: place } => at(ErrorCode::TemplateBroken, place),
        T::TooManyRows { sheet } => Error::new(ErrorCode::TemplateTooManyRows).with("sheet", sheet),
        T::Io(error) => error.into(),
    }
}
