//! Sheets and results as a workbook: real numbers and dates, and a sheet that ties the results to the rows.

use std::path::Path;

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::forms::{AnswerValue, Answers, Form, LocalText, Question};
use aftercare_domain::survey::{Estimate, Measures, Scale};
use rusqlite::Connection;
use rust_xlsxwriter::Workbook;
use serde_json::json;

use super::{
    ExportRequest, ExportResponse, Figures, Group, ResultsResponse, Scope, SheetRow, form, results, rows,
    viewer,
};
use crate::app::Ctx;
use crate::error::{Error, FieldErrors, Result};
use crate::reports::sheet::{self, Cell, Column, Holds, Look, Sheet};
use crate::reports::unfinished::Unfinished;
use crate::session::commands::confirm_password;
use crate::settings;
use crate::words::{Language, Words};

/// Longest reason.
const REASON: usize = 100;

/// Writes sheets and results of a scope.
///
/// # Errors
/// `Invalid`, `WrongPassword`, `ExportTooLarge`, `ExportMismatch`, `FileUnwritable`.
pub fn export(ctx: &Ctx, request: ExportRequest) -> Result<ExportResponse> {
    let reason = request.reason.trim();
    let mut errors = FieldErrors::default();
    if reason.is_empty() {
        errors.add("reason", ErrorCode::Required);
    } else if reason.chars().count() > REASON {
        errors.add_with("reason", ErrorCode::TooLong, "max", REASON);
    }
    if !request.path.to_lowercase().ends_with(".xlsx") {
        errors.add("path", ErrorCode::NotAllowed);
    }
    errors.check()?;
    confirm_password(ctx, &request.password)?;
    let words = Words::read(match request.language {
        Language::Chinese => include_str!("../../../../assets/locales/zh-CN/surveys.json"),
        Language::English => include_str!("../../../../assets/locales/en/surveys.json"),
    });
    let when = ctx.local_now().format("%Y-%m-%d %H:%M").to_string();
    let who = &ctx.session.user;
    let watermark = words.filled(
        "export.watermark",
        &[("who", &who.display_name), ("login", &who.login), ("when", &when), ("reason", reason)],
    );
    ctx.audit(
        "surveys.export",
        None,
        json!({ "from": request.scope.from, "to": request.scope.to, "reason": reason }),
    )?;
    let book = Book { words: &words, language: request.language, watermark: &watermark };
    let rows = ctx.read(|connection| {
        let scope = viewer::scope(ctx, connection, &request.scope)?;
        book.write(connection, &scope, Path::new(&request.path))
    })?;
    ctx.audit("surveys.exported", None, json!({ "rows": rows }))?;
    Ok(ExportResponse { path: request.path, rows })
}

/// A heading's word and the width of its column.
type Heading = (&'static str, f64);

const RESULT: [Heading; 15] = [
    ("group", 10.0),
    ("name", 24.0),
    ("valid", 10.0),
    ("score", 10.0),
    ("low", 10.0),
    ("high", 10.0),
    ("good", 10.0),
    ("rated", 10.0),
    ("satisfied", 10.0),
    ("promoters", 10.0),
    ("detractors", 10.0),
    ("recommending", 10.0),
    ("nps", 10.0),
    ("rank", 8.0),
    ("small", 10.0),
];
const SHEETS: [Heading; 13] = [
    ("sheet_no", 14.0),
    ("answered_on", 12.0),
    ("kind", 10.0),
    ("channel", 10.0),
    ("department", 18.0),
    ("doctor", 12.0),
    ("visited_on", 12.0),
    ("score", 10.0),
    ("valid", 8.0),
    ("invalid_reason", 16.0),
    ("nps", 8.0),
    ("caller", 12.0),
    ("form", 14.0),
];
const TIES: [Heading; 4] = [("item", 24.0), ("counted", 12.0), ("written", 12.0), ("difference", 12.0)];

struct Book<'a> {
    words: &'a Words,
    language: Language,
    watermark: &'a str,
}

impl Book<'_> {
    fn write(&self, connection: &Connection, scope: &Scope, target: &Path) -> Result<i64> {
        let found = results::of(connection, scope)?;
        let settings = settings::load(connection)?;
        let sheets = found.whole.measures.sheets;
        if sheets > i64::from(settings.export_max_rows) {
            return Err(Error::new(ErrorCode::ExportTooLarge)
                .with("max", settings.export_max_rows)
                .with("rows", sheets));
        }
        let mut unfinished = Unfinished::beside(target)?;
        let look = Look::new();
        let mut summary = self.sheet(&mut unfinished.workbook, &look, "results", &RESULT, &[])?;
        self.summary(&mut summary, &found)?;
        let questions = questions(connection, scope)?;
        let mut list = self.sheet(&mut unfinished.workbook, &look, "sheets", &SHEETS, &questions)?;
        let written = self.list(connection, scope, &mut list, &questions, &settings)?;
        let mut ties = self.sheet(&mut unfinished.workbook, &look, "reconciliation", &TIES, &[])?;
        self.reconcile(&mut ties, &found.whole.measures, &written)?;
        unfinished.finish([summary, list, ties])?;
        Ok(written.sheets)
    }

    fn said<'t>(&self, text: &'t LocalText) -> &'t str {
        match self.language {
            Language::English if !text.en.trim().is_empty() => &text.en,
            _ => &text.zh,
        }
    }

    fn sheet<'w>(
        &self,
        workbook: &mut Workbook,
        look: &'w Look,
        name: &str,
        headings: &[Heading],
        questions: &[Question],
    ) -> Result<Sheet<'w>> {
        let known = headings.iter().map(|(key, width)| Column {
            title: self.words.text(&format!("export.column.{key}")).to_owned(),
            width: *width,
            holds: if key.ends_with("_on") { Holds::Dates } else { Holds::Values },
        });
        let asked = questions.iter().map(|question| Column {
            title: self.said(&question.text).to_owned(),
            width: 14.0,
            holds: Holds::Values,
        });
        let columns: Vec<Column> = known.chain(asked).collect();
        let title = self.words.text(&format!("export.sheet.{name}")).to_owned();
        sheet::make(workbook, look, &title, self.watermark, &columns)
    }

    fn summary(&self, sheet: &mut Sheet<'_>, found: &ResultsResponse) -> Result<()> {
        let word = |key: &str| self.words.text(&format!("export.group.{key}")).to_owned();
        let whole = word(match found.scale {
            Scale::Times20 => "whole_times20",
            Scale::LessOneTimes25 => "whole_less_one_times25",
        });
        self.result(sheet, "whole", &whole, &found.whole, None)?;
        for (group, list) in [
            ("dimension", &found.dimensions),
            ("department", &found.departments),
            ("doctor", &found.doctors),
            ("month", &found.months),
        ] {
            for Group { key, name, figures, rank } in list {
                let name = if name.is_empty() { key.as_str() } else { self.said(name) };
                self.result(sheet, group, name, figures, *rank)?;
            }
        }
        Ok(())
    }

    fn result(
        &self,
        sheet: &mut Sheet<'_>,
        group: &str,
        name: &str,
        figures: &Figures,
        rank: Option<u32>,
    ) -> Result<()> {
        let m = &figures.measures;
        let of = |estimate: Option<Estimate>, end: fn(Estimate) -> f64| {
            estimate.map_or(Cell::Text("—"), |estimate| Cell::Number(end(estimate)))
        };
        let share = |part: i64, whole: i64| {
            #[allow(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
            let share = part as f64 / whole.max(1) as f64;
            if whole == 0 { Cell::Text("—") } else { Cell::Share(share) }
        };
        let small = self.words.text("export.small");
        sheet.row([
            Cell::Made(self.words.text(&format!("export.group.{group}")).to_owned()),
            Cell::Text(name),
            Cell::Integer(m.valid),
            of(figures.score, |e| e.value),
            of(figures.score, |e| e.low),
            of(figures.score, |e| e.high),
            Cell::Integer(m.good),
            Cell::Integer(m.rated),
            share(m.good, m.rated),
            Cell::Integer(m.promoters),
            Cell::Integer(m.detractors),
            Cell::Integer(m.recommending),
            of(figures.nps, |e| e.value),
            rank.map_or(Cell::Empty, |rank| Cell::Integer(i64::from(rank))),
            if figures.small { Cell::Text(small) } else { Cell::Empty },
        ])
    }

    /// Writes every sheet and counts while writing.
    fn list(
        &self,
        connection: &Connection,
        scope: &Scope,
        sheet: &mut Sheet<'_>,
        questions: &[Question],
        settings: &crate::settings::Settings,
    ) -> Result<Measures> {
        let mut counted = Measures::default();
        rows::every(connection, scope, settings, |row, stored| {
            count(&mut counted, row);
            let answers: Answers = serde_json::from_str(stored.get_ref("answers")?.as_str().unwrap_or("{}"))?;
            let code: String = stored.get("form_code")?;
            let word = |group: &str, code: &str| self.words.text(&format!("{group}.{code}")).to_owned();
            let mut cells = vec![
                Cell::Text(&row.sheet_no),
                Cell::date(Some(&row.answered_on)),
                Cell::Made(word("kind", row.kind.as_str())),
                Cell::Made(word("channel", row.channel.as_str())),
                Cell::Text(&row.department),
                Cell::Text(&row.doctor),
                Cell::date(row.visited_on.as_deref()),
                row.score.map_or(Cell::Empty, Cell::Number),
                Cell::Integer(i64::from(row.valid)),
                row.invalid_reason.as_deref().map_or(Cell::Empty, |why| Cell::Made(word("invalid", why))),
                row.nps.into(),
                Cell::Text(&row.caller),
                Cell::Made(code),
            ];
            cells.extend(questions.iter().map(|question| self.answer(question, answers.get(&question.id))));
            sheet.row(cells)
        })?;
        Ok(counted)
    }

    fn answer<'c>(&self, question: &'c Question, answer: Option<&AnswerValue>) -> Cell<'c> {
        let label = |code: &str| {
            let option = question.options.iter().find(|option| option.code == code);
            option.map_or_else(|| code.to_owned(), |option| self.said(&option.label).to_owned())
        };
        match answer {
            None => Cell::Empty,
            Some(AnswerValue::Single(code)) => {
                let points =
                    question.options.iter().find(|option| option.code == *code).and_then(|o| o.points);
                points.map_or_else(|| Cell::Made(label(code)), Cell::Number)
            }
            Some(AnswerValue::Multi(codes)) => {
                Cell::Made(codes.iter().map(|code| label(code)).collect::<Vec<_>>().join("、"))
            }
            Some(AnswerValue::Bool(value)) => Cell::Integer(i64::from(*value)),
            Some(AnswerValue::Number(number)) => Cell::Number(*number),
            Some(AnswerValue::Scale(step)) => Cell::Integer(i64::from(*step)),
            Some(AnswerValue::Text(text)) => Cell::Made(text.clone()),
            Some(AnswerValue::Date(day)) => Cell::Made(day.to_string()),
            Some(AnswerValue::Bp { sbp, dbp }) => {
                Cell::Made(format!("{sbp}/{}", dbp.map(|dbp| dbp.to_string()).unwrap_or_default()))
            }
        }
    }

    /// The results hold what was written, or there is no workbook.
    fn reconcile(&self, sheet: &mut Sheet<'_>, counted: &Measures, written: &Measures) -> Result<()> {
        for (name, by_sums, by_rows) in [
            ("sheets", counted.sheets, written.sheets),
            ("valid", counted.valid, written.valid),
            ("scored", counted.scored, written.scored),
            ("good", counted.good, written.good),
            ("rated", counted.rated, written.rated),
            ("promoters", counted.promoters, written.promoters),
            ("detractors", counted.detractors, written.detractors),
        ] {
            if by_sums != by_rows {
                return Err(Error::new(ErrorCode::ExportMismatch)
                    .with("figure", name)
                    .with("counted", by_sums)
                    .with("written", by_rows));
            }
            sheet.row([
                Cell::Made(self.words.text(&format!("export.tie.{name}")).to_owned()),
                Cell::Integer(by_sums),
                Cell::Integer(by_rows),
                Cell::Integer(by_sums - by_rows),
            ])?;
        }
        Ok(())
    }
}

/// Adds a row as the sums do.
fn count(all: &mut Measures, row: &SheetRow) {
    all.sheets += 1;
    if !row.valid {
        return;
    }
    all.valid += 1;
    all.scored += i64::from(row.score.is_some());
    all.good += i64::from(row.overall.is_some_and(|overall| overall >= 4));
    all.rated += i64::from(row.overall.is_some());
    all.promoters += i64::from(row.nps.is_some_and(|nps| nps >= 9));
    all.detractors += i64::from(row.nps.is_some_and(|nps| nps <= 6));
}

/// The questions of the questionnaires that the sheets were answered on. Answers for few eyes stay in the program.
fn questions(connection: &Connection, scope: &Scope) -> Result<Vec<Question>> {
    let (condition, values) = super::figures::standing(scope);
    let sql = format!(
        "SELECT DISTINCT sheet.form_code, sheet.form_version
         FROM survey_standing JOIN survey_sheet AS sheet ON sheet.id = survey_standing.sheet_id
         WHERE {condition} ORDER BY 1, 2"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let forms = statement.query_map(rusqlite::params_from_iter(values), |row| {
        Ok((row.get::<_, String>("form_code")?, row.get::<_, u32>("form_version")?))
    })?;
    let mut questions: Vec<Question> = Vec::new();
    for found in forms {
        let (code, version) = found?;
        let form: Form = form::load(connection, &code, Some(version))?.form().clone();
        for question in form.questions.into_iter().filter(|question| !question.sensitive) {
            if !questions.iter().any(|known| known.id == question.id) {
                questions.push(question);
            }
        }
    }
    Ok(questions)
}
