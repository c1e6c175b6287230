//! The sheets of a month: tables with native charts beside them. Each returns what it adds up to, to be reconciled.

use rust_xlsxwriter::{Chart, ChartType};

use super::super::sheet::{Cell, Sheet};
use super::content::{COUNTS, Content, FIGURES, Group, MonthFigure};
use super::freeze::SiteState;
use super::lines::Population;
use super::restate::{Change, Compared};
use super::voice::Voice;
use super::{Population as P, SheetKind};
use crate::error::Result;

/// A sum on a sheet, and what in the detail must come to the same.
pub(super) struct Sum {
    pub sheet: SheetKind,
    /// The key of its words.
    pub item: &'static str,
    pub on_sheet: i64,
    pub population: Population,
    pub flag: Flag,
}

/// What is counted in the detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flag {
    /// Rows.
    Rows,
    /// Rows with a flag.
    Of(&'static str),
    /// The sum of the rows' numbers.
    Value,
}

/// The columns of the first table of a sheet.
pub(super) fn columns(kind: SheetKind) -> &'static [(&'static str, f64)] {
    match kind {
        SheetKind::Followup => &[
            ("figure", 30.0),
            ("numerator", 12.0),
            ("denominator", 12.0),
            ("share", 12.0),
            ("meaning", 60.0),
        ],
        SheetKind::Complaints => &[
            ("figure", 30.0),
            ("numerator", 12.0),
            ("denominator", 12.0),
            ("share", 12.0),
            ("meaning", 60.0),
        ],
        SheetKind::Satisfaction => &[
            ("figure", 30.0),
            ("numerator", 12.0),
            ("denominator", 12.0),
            ("share", 12.0),
            ("meaning", 60.0),
        ],
        SheetKind::Workload => &[
            ("nurse", 16.0),
            ("calls", 12.0),
            ("connected", 12.0),
            ("connected_share", 12.0),
            ("talk_minutes", 14.0),
            ("due", 12.0),
            ("done", 12.0),
            ("timely", 12.0),
            ("alerts", 12.0),
        ],
        SheetKind::Doctors => &[
            ("doctor", 14.0),
            ("department", 18.0),
            ("discharges", 12.0),
            ("followed", 12.0),
            ("ratio", 12.0),
            ("surveys", 12.0),
            ("score", 12.0),
        ],
        SheetKind::Departments => &[
            ("department", 18.0),
            ("discharges", 12.0),
            ("followed", 12.0),
            ("ratio", 12.0),
            ("due", 12.0),
            ("done", 12.0),
            ("done_share", 12.0),
            ("calls", 12.0),
            ("complaints", 12.0),
            ("surveys", 12.0),
            ("score", 12.0),
        ],
    }
}

/// Columns of the cover, of the restatement and of the reconciliation.
pub(super) const COVER: [(&str, f64); 4] =
    [("item", 26.0), ("value", 40.0), ("silent", 14.0), ("unsent", 16.0)];
pub(super) const RESTATEMENT: [(&str, f64); 7] = [
    ("item", 30.0),
    ("before", 22.0),
    ("after", 22.0),
    ("before_share", 12.0),
    ("after_share", 12.0),
    ("difference", 14.0),
    ("note", 40.0),
];
pub(super) const RECONCILIATION: [(&str, f64); 5] =
    [("sheet", 14.0), ("item", 40.0), ("on_sheet", 14.0), ("written", 14.0), ("difference", 12.0)];

/// Most bars of a chart: more cannot be read.
const BARS: u32 = 25;

/// A share; of nothing a dash, not 0 %.
fn share(numerator: i64, denominator: i64) -> Cell<'static> {
    if denominator == 0 { Cell::Text("—") } else { Cell::Share(numerator as f64 / denominator as f64) }
}

fn decimal(value: Option<f64>) -> Cell<'static> {
    value.map_or(Cell::Text("—"), Cell::Number)
}

/// A chart of rows `first..=last` of a sheet: names in column 0, and series of columns with their titles.
fn chart(
    kind: ChartType,
    title: &str,
    sheet: &str,
    (first, last): (u32, u32),
    series: &[(&str, u16)],
) -> Chart {
    let mut chart = Chart::new(kind);
    chart.title().set_name(title);
    for (name, column) in series {
        chart
            .add_series()
            .set_name(*name)
            .set_categories((sheet, first, 0, last, 0))
            .set_values((sheet, first, *column, last, *column));
    }
    if series.len() == 1 {
        chart.legend().set_hidden();
    }
    chart.set_width(720).set_height(320);
    chart
}

/// Writes a sheet of the report.
pub(super) fn write(
    kind: SheetKind,
    sheet: &mut Sheet<'_>,
    voice: &Voice,
    content: &Content,
    figures: &[MonthFigure],
) -> Result<Vec<Sum>> {
    match kind {
        SheetKind::Followup => followup(sheet, voice, content, figures),
        SheetKind::Complaints => complaints(sheet, voice, content, figures),
        SheetKind::Satisfaction => satisfaction(sheet, voice, content, figures),
        SheetKind::Workload => workload(sheet, voice, content),
        SheetKind::Doctors => doctors(sheet, voice, content),
        SheetKind::Departments => departments(sheet, voice, content),
    }
}

/// The figures of a sheet and its plain counts. What the detail shows of them is reconciled.
fn figure_rows(
    kind: SheetKind,
    sheet: &mut Sheet<'_>,
    voice: &Voice,
    content: &Content,
    figures: &[MonthFigure],
) -> Result<Vec<Sum>> {
    let mut sums = Vec::new();
    for (one, figure) in FIGURES.iter().zip(figures).filter(|(one, _)| one.sheet == kind) {
        let (title, meaning) = (format!("figure.{}", one.code), format!("meaning.{}", one.code));
        sheet.row([
            Cell::Text(voice.text(&title)),
            Cell::Integer(figure.numerator),
            Cell::Integer(figure.denominator),
            share(figure.numerator, figure.denominator),
            Cell::Text(voice.text(&meaning)),
        ])?;
        if !super::details::columns(one.population).is_empty() {
            let sum =
                |item, on_sheet, flag| Sum { sheet: kind, item, on_sheet, population: one.population, flag };
            sums.push(sum(one.numerator, figure.numerator, Flag::Of(one.numerator)));
            sums.push(sum(one.denominator, figure.denominator, Flag::Of(one.denominator)));
        }
    }
    for (code, population, flag) in COUNTS {
        let shown = match kind {
            SheetKind::Followup => matches!(population, P::Discharges | P::Calls),
            SheetKind::Complaints => population == P::Complaints,
            SheetKind::Satisfaction => population == P::Surveys,
            _ => false,
        };
        if shown {
            let count = content.total.of(population, flag);
            let title = format!("figure.{code}");
            sheet.row([Cell::Text(voice.text(&title)), Cell::Integer(count)])?;
            sums.push(Sum { sheet: kind, item: flag, on_sheet: count, population, flag: Flag::Of(flag) });
        }
    }
    sums.dedup_by(|a, b| (a.item, a.population) == (b.item, b.population));
    Ok(sums)
}

fn followup(
    sheet: &mut Sheet<'_>,
    voice: &Voice,
    content: &Content,
    figures: &[MonthFigure],
) -> Result<Vec<Sum>> {
    let kind = SheetKind::Followup;
    let mut sums = figure_rows(kind, sheet, voice, content, figures)?;
    sheet.heading(
        ["column.day", "column.due", "column.done", "column.done_share"].map(|key| voice.text(key)),
    )?;
    let first = sheet.next_row();
    let (mut due, mut done) = (0, 0);
    for (day, group) in &content.days {
        let (one_due, one_done) = (group.of(P::Tasks, "counted"), group.of(P::Tasks, "done"));
        let day = match Cell::date(Some(day)) {
            Cell::Time(day) => Cell::Day(day),
            other => other,
        };
        sheet.row([day, Cell::Integer(one_due), Cell::Integer(one_done), share(one_done, one_due)])?;
        due += one_due;
        done += one_done;
    }
    if !content.days.is_empty() {
        let series = [(voice.text("column.due"), 1), (voice.text("column.done"), 2)];
        let rows = (first, sheet.next_row() - 1);
        let chart =
            chart(ChartType::Line, voice.text("chart.days"), voice.text("sheet.followup"), rows, &series);
        sheet.chart(first, 4, &chart)?;
    }
    let sum = |item, on_sheet, flag| Sum { sheet: kind, item, on_sheet, population: P::Tasks, flag };
    sums.push(sum("days_due", due, Flag::Of("counted")));
    sums.push(sum("days_done", done, Flag::Of("done")));
    Ok(sums)
}

/// A table of names and counts with a column chart, largest first; returns the sum.
fn shares(
    sheet: &mut Sheet<'_>,
    headings: [&str; 3],
    rows: &mut Vec<(&str, i64)>,
    (title, name): (&str, &str),
) -> Result<i64> {
    rows.retain(|(_, count)| *count > 0);
    rows.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    let total: i64 = rows.iter().map(|(_, count)| count).sum();
    sheet.heading(headings)?;
    let first = sheet.next_row();
    for (name, count) in rows.iter() {
        sheet.row([Cell::Text(name), Cell::Integer(*count), share(*count, total)])?;
    }
    if !rows.is_empty() {
        let last = (sheet.next_row() - 1).min(first + BARS - 1);
        let chart = chart(ChartType::Column, title, name, (first, last), &[(headings[1], 1)]);
        sheet.chart(first, 4, &chart)?;
        // The next table begins below the chart, which is some sixteen rows high.
        for _ in rows.len()..16 {
            sheet.row([])?;
        }
    }
    Ok(total)
}

fn complaints(
    sheet: &mut Sheet<'_>,
    voice: &Voice,
    content: &Content,
    figures: &[MonthFigure],
) -> Result<Vec<Sum>> {
    let kind = SheetKind::Complaints;
    let mut sums = figure_rows(kind, sheet, voice, content, figures)?;
    let name = voice.text("sheet.complaints");
    let count = |group: &Group| group.of(P::Complaints, "complaint");
    let mut rows =
        content.categories.iter().map(|(code, group)| (voice.category(code), count(group))).collect();
    let headings = ["column.category", "column.complaints", "column.share"].map(|key| voice.text(key));
    let total = shares(sheet, headings, &mut rows, (voice.text("chart.categories"), name))?;
    let sum = |item, on_sheet| Sum {
        sheet: kind,
        item,
        on_sheet,
        population: P::Complaints,
        flag: Flag::Of("complaint"),
    };
    sums.push(sum("categories", total));
    let mut rows =
        content.departments.iter().map(|(name, group)| (voice.or_none(name), count(group))).collect();
    let headings = ["column.lead_department", "column.complaints", "column.share"].map(|key| voice.text(key));
    let total = shares(sheet, headings, &mut rows, (voice.text("chart.complaint_departments"), name))?;
    sums.push(sum("complaint_departments", total));
    Ok(sums)
}

fn satisfaction(
    sheet: &mut Sheet<'_>,
    voice: &Voice,
    content: &Content,
    figures: &[MonthFigure],
) -> Result<Vec<Sum>> {
    let kind = SheetKind::Satisfaction;
    let mut sums = figure_rows(kind, sheet, voice, content, figures)?;
    let total = &content.total;
    for (code, value) in [("SAT_SCORE", total.score()), ("NPS", total.nps())] {
        let (title, meaning) = (format!("figure.{code}"), format!("meaning.{code}"));
        let [title, meaning] = [&title, &meaning].map(|key| Cell::Text(voice.text(key)));
        sheet.row([title, decimal(value), Cell::Empty, Cell::Empty, meaning])?;
    }
    let headings = ["surveys", "valid", "score", "good_share", "nps"].map(|key| format!("column.{key}"));
    let mut sum = |item, on_sheet, flag| {
        sums.push(Sum { sheet: kind, item, on_sheet, population: P::Surveys, flag });
    };
    for (title, groups) in
        [("column.department", &content.departments), ("column.survey_kind", &content.kinds)]
    {
        let keys = std::iter::once(title).chain(headings.iter().map(String::as_str));
        sheet.heading(keys.map(|key| voice.text(key)))?;
        let first = sheet.next_row();
        let (mut sheets, mut points) = (0, 0);
        for (name, group) in groups.iter().filter(|(_, group)| group.tally(P::Surveys).lines > 0) {
            let of = |flag| group.of(P::Surveys, flag);
            let shown = match title {
                "column.department" => voice.or_none(name),
                _ => voice.words.find(&format!("survey_kind.{name}")).unwrap_or(name),
            };
            sheet.row([
                Cell::Text(shown),
                Cell::Integer(of("everyone")),
                Cell::Integer(of("valid")),
                decimal(group.score()),
                share(of("good"), of("rated")),
                decimal(group.nps()),
            ])?;
            sheets += of("everyone");
            points += group.tally(P::Surveys).value;
        }
        if sheets > 0 && title == "column.department" {
            let last = (sheet.next_row() - 1).min(first + BARS - 1);
            let series = [(voice.text("column.score"), 3)];
            let name = voice.text("sheet.satisfaction");
            let chart = chart(ChartType::Column, voice.text("chart.score"), name, (first, last), &series);
            sheet.chart(first, 6, &chart)?;
        }
        sum(
            if title == "column.department" { "survey_departments" } else { "survey_kinds" },
            sheets,
            Flag::Rows,
        );
        sum("survey_points", points, Flag::Value);
    }
    Ok(sums)
}

fn workload(sheet: &mut Sheet<'_>, voice: &Voice, content: &Content) -> Result<Vec<Sum>> {
    let mut rows: Vec<(&str, &Group)> =
        content.nurses.iter().map(|(id, group)| (voice.person(id), group)).collect();
    rows.sort_by_key(|(name, group)| (std::cmp::Reverse(group.tally(P::Calls).lines), *name));
    let first = sheet.next_row();
    let columns: [(&str, Population, Flag); 6] = [
        ("calls", P::Calls, Flag::Rows),
        ("connected", P::Calls, Flag::Of("connected")),
        ("talk", P::Calls, Flag::Value),
        ("due", P::Tasks, Flag::Of("counted")),
        ("done", P::Tasks, Flag::Of("done")),
        ("timely", P::Tasks, Flag::Of("timely")),
    ];
    let mut totals = [0; 7];
    for (name, group) in &rows {
        let [calls, connected, talk, due, done, timely] =
            columns.map(|(_, population, flag)| counted(group, population, flag));
        let alerts = group.tally(P::Alerts).lines;
        sheet.row([
            Cell::Text(name),
            Cell::Integer(calls),
            Cell::Integer(connected),
            share(connected, calls),
            Cell::Number(talk as f64 / 60.0),
            Cell::Integer(due),
            Cell::Integer(done),
            Cell::Integer(timely),
            Cell::Integer(alerts),
        ])?;
        for (total, one) in totals.iter_mut().zip([calls, connected, talk, due, done, timely, alerts]) {
            *total += one;
        }
    }
    if !rows.is_empty() {
        let last = (sheet.next_row() - 1).min(first + BARS - 1);
        let series = [(voice.text("column.calls"), 1), (voice.text("column.done"), 6)];
        let name = voice.text("sheet.workload");
        let chart = chart(ChartType::Bar, voice.text("chart.workload"), name, (first, last), &series);
        sheet.chart(sheet.next_row() + 1, 0, &chart)?;
    }
    let kinds = columns.into_iter().chain([("alerts", P::Alerts, Flag::Rows)]);
    let sum = |((item, population, flag), on_sheet)| Sum {
        sheet: SheetKind::Workload,
        item,
        on_sheet,
        population,
        flag,
    };
    Ok(kinds.zip(totals).map(sum).collect())
}

/// What a group comes to.
fn counted(group: &Group, population: Population, flag: Flag) -> i64 {
    match flag {
        Flag::Rows => group.tally(population).lines,
        Flag::Of(flag) => group.of(population, flag),
        Flag::Value => group.tally(population).value,
    }
}

fn doctors(sheet: &mut Sheet<'_>, voice: &Voice, content: &Content) -> Result<Vec<Sum>> {
    let mut rows: Vec<(&(String, String), &Group)> = content.doctors.iter().collect();
    rows.sort_by_key(|(key, group)| (std::cmp::Reverse(group.of(P::Discharges, "everyone")), *key));
    let first = sheet.next_row();
    let (mut discharges, mut followed, mut surveys) = (0, 0, 0);
    for ((doctor, department), group) in &rows {
        let (all, done) = (group.of(P::Discharges, "everyone"), group.of(P::Discharges, "followed"));
        sheet.row([
            Cell::Text(voice.or_none(doctor)),
            Cell::Text(voice.or_none(department)),
            Cell::Integer(all),
            Cell::Integer(done),
            share(done, all),
            Cell::Integer(group.of(P::Surveys, "valid")),
            decimal(group.score()),
        ])?;
        discharges += all;
        followed += done;
        surveys += group.of(P::Surveys, "valid");
    }
    if !rows.is_empty() {
        let last = (sheet.next_row() - 1).min(first + BARS - 1);
        let series = [(voice.text("column.discharges"), 2), (voice.text("column.followed"), 3)];
        let name = voice.text("sheet.doctors");
        let chart = chart(ChartType::Column, voice.text("chart.doctors"), name, (first, last), &series);
        sheet.chart(first, 8, &chart)?;
    }
    let sum = |item, on_sheet, population, flag| Sum {
        sheet: SheetKind::Doctors,
        item,
        on_sheet,
        population,
        flag,
    };
    Ok(vec![
        sum("everyone", discharges, P::Discharges, Flag::Of("everyone")),
        sum("followed", followed, P::Discharges, Flag::Of("followed")),
        sum("valid", surveys, P::Surveys, Flag::Of("valid")),
    ])
}

fn departments(sheet: &mut Sheet<'_>, voice: &Voice, content: &Content) -> Result<Vec<Sum>> {
    let mut rows: Vec<(&String, &Group)> = content.departments.iter().collect();
    rows.sort_by_key(|(name, group)| (std::cmp::Reverse(group.of(P::Discharges, "everyone")), *name));
    let first = sheet.next_row();
    let columns: [(&str, Population, &str); 7] = [
        ("everyone", P::Discharges, "everyone"),
        ("followed", P::Discharges, "followed"),
        ("counted", P::Tasks, "counted"),
        ("done", P::Tasks, "done"),
        ("calls", P::Calls, "everyone"),
        ("complaint", P::Complaints, "complaint"),
        ("valid", P::Surveys, "valid"),
    ];
    let mut totals = [0; 7];
    for (name, group) in &rows {
        let counts = columns.map(|(_, population, flag)| group.of(population, flag));
        let [discharges, followed, due, done, calls, complaints, surveys] = counts;
        sheet.row([
            Cell::Text(voice.or_none(name)),
            Cell::Integer(discharges),
            Cell::Integer(followed),
            share(followed, discharges),
            Cell::Integer(due),
            Cell::Integer(done),
            share(done, due),
            Cell::Integer(calls),
            Cell::Integer(complaints),
            Cell::Integer(surveys),
            decimal(group.score()),
        ])?;
        for (total, one) in totals.iter_mut().zip(counts) {
            *total += one;
        }
    }
    if !rows.is_empty() {
        let last = (sheet.next_row() - 1).min(first + BARS - 1);
        let series = [(voice.text("column.discharges"), 1), (voice.text("column.followed"), 2)];
        let name = voice.text("sheet.departments");
        let chart = chart(ChartType::Column, voice.text("chart.departments"), name, (first, last), &series);
        sheet.chart(sheet.next_row() + 1, 0, &chart)?;
    }
    let sum = |((item, population, flag), on_sheet)| Sum {
        sheet: SheetKind::Departments,
        item,
        on_sheet,
        population,
        flag: Flag::Of(flag),
    };
    Ok(columns.into_iter().zip(totals).map(sum).collect())
}

/// The first sheet: what this is, and how complete.
pub(super) fn cover(
    sheet: &mut Sheet<'_>,
    voice: &Voice,
    facts: &[(&'static str, String)],
    sites: &[SiteState],
) -> Result<()> {
    for (key, value) in facts {
        sheet.row([Cell::Text(voice.text(key)), Cell::Text(value)])?;
    }
    let headings = ["cover.site", "cover.as_of", "cover.silent", "cover.unsent"];
    sheet.heading(headings.map(|key| voice.text(key)))?;
    for site in sites {
        let as_of = site.as_of.map_or_else(|| voice.text("cover.never").to_owned(), local_minute);
        let mark = if site.complete { "" } else { voice.text("cover.incomplete") };
        sheet.row([
            Cell::Text(&site.name),
            Cell::Made(format!("{as_of}{mark}")),
            Cell::Integer(i64::from(site.silent)),
            Cell::Integer(site.unsent),
        ])?;
    }
    if sites.is_empty() {
        sheet.row([Cell::Text(voice.text("cover.single"))])?;
    }
    Ok(())
}

/// An instant on the hospital's clock, as people write it.
pub(super) fn local_minute(millis: i64) -> String {
    chrono::DateTime::from_timestamp_millis(millis)
        .map(|at| crate::env::local(at).format("%Y-%m-%d %H:%M").to_string())
        .unwrap_or_default()
}

/// The frozen figures beside what they would be now, and every record that differs.
pub(super) fn restatement(sheet: &mut Sheet<'_>, voice: &Voice, compared: &Compared) -> Result<()> {
    for figure in &compared.restatement.figures {
        let title = format!("figure.{}", figure.before.code);
        let (before, after) = (&figure.before, &figure.after);
        let shares = before.share().zip(after.share());
        sheet.row([
            Cell::Text(voice.text(&title)),
            Cell::Made(format!("{} / {}", before.numerator, before.denominator)),
            Cell::Made(format!("{} / {}", after.numerator, after.denominator)),
            share(before.numerator, before.denominator),
            share(after.numerator, after.denominator),
            shares.map_or(Cell::Empty, |(before, after)| Cell::Share(after - before)),
            Cell::Text(if before == after { "" } else { voice.text("restated.differs") }),
        ])?;
    }
    if compared.restatement.elsewhere > 0 {
        let count = Cell::Integer(compared.restatement.elsewhere);
        sheet.row([Cell::Text(voice.text("restated.elsewhere")), count])?;
    }
    let headings = ["what", "before_flags", "after_flags", "on", "change", "department", "record"];
    let headings = headings.map(|key| format!("restated.{key}"));
    sheet.heading(headings.iter().map(|key| voice.text(key)))?;
    for one in &compared.differences {
        let flags = |flags: Option<u16>| {
            flags.map_or(String::new(), |flags| flag_words(voice, one.population, flags))
        };
        let what = format!("population.{}", one.population.key());
        let department = voice.or_none(&one.department);
        sheet.row([
            Cell::Text(voice.text(&what)),
            Cell::Made(flags(one.before)),
            Cell::Made(flags(one.after)),
            Cell::Made(one.on.to_string()),
            Cell::Text(voice.text(match one.change {
                Change::Came => "restated.came",
                Change::Changed => "restated.changed",
                Change::Gone => "restated.gone",
            })),
            Cell::Text(department),
            Cell::Made(one.id.to_string()),
        ])?;
    }
    Ok(())
}

/// The flags of a record in words.
fn flag_words(voice: &Voice, population: Population, flags: u16) -> String {
    let names = population.source().flags.iter().filter(|name| flags & population.bit(name) != 0);
    let words: Vec<&str> = names
        .filter(|name| **name != "everyone")
        .map(|name| voice.words.find(&format!("flag.{name}")).unwrap_or(name))
        .collect();
    if words.is_empty() { voice.text("flag.none").to_owned() } else { words.join(voice.text("flag.and")) }
}
