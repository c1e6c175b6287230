//! The month's page and what the command line asks: how it stands, freezing, writing.

use std::path::Path;

use aftercare_domain::access::Permission;
use aftercare_domain::error_code::ErrorCode;
use rusqlite::Connection;
use serde_json::json;

use super::book::{self, Order, Shown};
use super::voice::{MONTH, Voice};
use super::{
    DefinitionRemoveRequest, ExampleRequest, FreezeItem, FreezeRequest, Month, MonthExportRequest,
    MonthExportResponse, MonthOverview, MonthRequest, PlaceholdersRequest, PlaceholdersResponse,
    ReportDefinition, RestatementResponse, SheetKind, fill, freeze, restate,
};
use crate::app::Ctx;
use crate::app::jobs::{self, Progress};
use crate::change_log::REPORT_DEFINITION;
use crate::commands::Done;
use crate::error::{Error, FieldErrors, Result};
use crate::session::commands::confirm_password;
use crate::settings;
use crate::words::Language;

/// Characters of a reason, and of a report's name.
const MOST_CHARACTERS: usize = 100;

/// How a month stands: its figures, how complete each site is, its freezes.
pub fn overview(ctx: &Ctx, request: MonthRequest) -> Result<MonthOverview> {
    let month = Month::parse(&request.month)?;
    let today = ctx.local_now().date();
    let sites = freeze::sites(ctx, &month)?;
    let mut readers = ctx.db().snapshots()?;
    let shown = book::shown(&mut readers, &month, today)?;
    let [connection, _] = &readers;
    Ok(MonthOverview {
        month: month.text(),
        from: month.from.to_string(),
        to: month.to.to_string(),
        over: today > month.to,
        figures: shown.figures,
        sites,
        freezes: freeze::list(connection, Some(&month))?,
        definitions: definitions(connection)?,
    })
}

/// What came after the month was frozen; nothing where it is not frozen.
pub fn restatement(ctx: &Ctx, request: MonthRequest) -> Result<RestatementResponse> {
    let month = Month::parse(&request.month)?;
    let mut readers = ctx.db().snapshots()?;
    let shown = book::shown(&mut readers, &month, ctx.local_now().date())?;
    let Some(frozen) = &shown.frozen else { return Ok(RestatementResponse { restatement: None }) };
    let [connection, _] = &readers;
    let compared = restate::compare(connection, &month, frozen, &shown.parts)?;
    Ok(RestatementResponse { restatement: Some(compared.restatement) })
}

/// Freezes a month that is over.
///
/// # Errors
/// `Invalid`, `MonthNotOver`, `MonthFrozen` (a reason is needed).
pub fn freeze(ctx: &Ctx, request: FreezeRequest) -> Result<FreezeItem> {
    let month = Month::parse(&request.month)?;
    let reason = request.reason.trim();
    if reason.chars().count() > MOST_CHARACTERS {
        let mut errors = FieldErrors::default();
        errors.add_with("reason", ErrorCode::TooLong, "max", MOST_CHARACTERS);
        errors.check()?;
    }
    let id = freeze::make(ctx, &month, reason)?;
    let made = ctx.read(|c| freeze::list(c, Some(&month)))?.into_iter().find(|item| item.id == id);
    made.ok_or_else(|| Error::new(ErrorCode::NotFound))
}

/// Named reports, by name.
fn definitions(connection: &Connection) -> Result<Vec<ReportDefinition>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, name, sheets FROM report_definition WHERE removed = 0 ORDER BY name, id",
    )?;
    let rows = statement.query_map([], |row| {
        // A sheet that a newer program knows is left out.
        let sheets: Vec<serde_json::Value> =
            serde_json::from_str(&row.get::<_, String>("sheets")?).unwrap_or_default();
        let sheets = sheets.into_iter().filter_map(|sheet| serde_json::from_value(sheet).ok()).collect();
        Ok(ReportDefinition { id: Some(row.get("id")?), name: row.get("name")?, sheets })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Saves a named report; every desk has it.
pub fn definition_save(ctx: &Ctx, request: ReportDefinition) -> Result<ReportDefinition> {
    let name = request.name.trim().to_owned();
    let mut errors = FieldErrors::default();
    if name.is_empty() {
        errors.add("name", ErrorCode::Required);
    } else if name.chars().count() > MOST_CHARACTERS {
        errors.add_with("name", ErrorCode::TooLong, "max", MOST_CHARACTERS);
    }
    check_sheets(&request.sheets, &mut errors);
    errors.check()?;
    let sheets = serde_json::to_string(&request.sheets)?;
    let fields = [("name", name.as_str().into()), ("sheets", sheets.into())];
    let id = ctx.write(|w| match request.id {
        Some(id) => w.update(&REPORT_DEFINITION, id, &fields).map(|_| id),
        None => {
            let id = w.new_id();
            w.create(&REPORT_DEFINITION, id, &fields).map(|()| id)
        }
    })?;
    Ok(ReportDefinition { id: Some(id), name, sheets: request.sheets })
}

/// Removes a named report.
pub fn definition_remove(ctx: &Ctx, request: DefinitionRemoveRequest) -> Result<Done> {
    ctx.write(|w| w.update(&REPORT_DEFINITION, request.id, &[("removed", true.into())]))?;
    Ok(Done {})
}

fn check_sheets(sheets: &[SheetKind], errors: &mut FieldErrors) {
    let mut once = sheets.to_vec();
    once.sort_unstable();
    once.dedup();
    if sheets.is_empty() {
        errors.add("sheets", ErrorCode::Required);
    } else if once.len() < sheets.len() {
        errors.add("sheets", ErrorCode::NotAllowed);
    }
}

/// Writes a month's workbook in the background; the job's result is a `MonthExportResponse`.
pub fn export_start(ctx: &Ctx, request: MonthExportRequest) -> Result<settings::JobStarted> {
    let month = check(ctx, &request)?;
    let id = jobs::start(ctx, "reports_month_export", move |ctx, progress| {
        export_now(ctx, &request, &month, progress)
    })?;
    Ok(settings::JobStarted { id })
}

/// Writes a month's workbook, or fills the hospital's form, and waits for it.
///
/// # Errors
/// `Invalid`, `WrongPassword`, `Forbidden` (reveal), `ExportTooLarge`, `ExportMismatch`, `Template…`, `FileUnwritable`.
pub fn export(ctx: &Ctx, request: MonthExportRequest) -> Result<MonthExportResponse> {
    let month = check(ctx, &request)?;
    export_now(ctx, &request, &month, &Progress::unwatched())
}

fn check(ctx: &Ctx, request: &MonthExportRequest) -> Result<Month> {
    let month = Month::parse(&request.month)?;
    let mut errors = FieldErrors::default();
    let reason = request.reason.trim();
    if reason.is_empty() {
        errors.add("reason", ErrorCode::Required);
    } else if reason.chars().count() > MOST_CHARACTERS {
        errors.add_with("reason", ErrorCode::TooLong, "max", MOST_CHARACTERS);
    }
    if !request.path.to_lowercase().ends_with(".xlsx") {
        errors.add("path", ErrorCode::NotAllowed);
    }
    match &request.template {
        None => check_sheets(&request.sheets, &mut errors),
        // The form itself must stay as it is, for the next month.
        Some(template) if same_file(template, &request.path) => errors.add("path", ErrorCode::NotAllowed),
        Some(_) => {}
    }
    errors.check()?;
    if request.reveal && !ctx.may(Permission::ArchiveReveal) {
        return Err(Error::new(ErrorCode::Forbidden).with("permission", "archive_reveal"));
    }
    confirm_password(ctx, &request.password)?;
    Ok(month)
}

fn same_file(one: &str, other: &str) -> bool {
    let real = |path: &str| std::fs::canonicalize(path).ok();
    one == other || real(one).is_some_and(|one| real(other) == Some(one))
}

fn export_now(
    ctx: &Ctx,
    request: &MonthExportRequest,
    month: &Month,
    progress: &Progress,
) -> Result<MonthExportResponse> {
    let now = ctx.local_now();
    let made = now.format("%Y-%m-%d %H:%M").to_string();
    let reason = request.reason.trim();
    let (from, to) = (month.from.to_string(), month.to.to_string());
    let watermark = MONTH.of(request.language).filled(
        "watermark",
        &[
            ("who", &ctx.session.user.display_name),
            ("login", &ctx.session.user.login),
            ("when", &made),
            ("reason", reason),
            ("from", &from),
            ("to", &to),
        ],
    );
    let order = Order {
        month: *month,
        sheets: &request.sheets,
        language: request.language,
        reveal: request.reveal,
        confidential: ctx.may(Permission::ComplaintConfidential),
        watermark,
        max_rows: ctx.read(settings::load)?.export_max_rows,
        today: now.date(),
        made,
        sites: freeze::sites(ctx, month)?,
        progress,
    };
    // Before the file exists, so that no export goes unlogged; the outcome follows in a second line.
    let template = request.template.is_some();
    let detail = json!({ "month": month.text(), "sheets": request.sheets, "template": template, "reveal": request.reveal, "reason": reason });
    ctx.audit("reports.month_export", None, detail)?;
    let mut readers = ctx.db().snapshots()?;
    let shown = book::shown(&mut readers, month, order.today)?;
    let freeze = shown.frozen.as_ref().map(|frozen| frozen.item.id);
    let rows = match &request.template {
        None => book::write(readers, &shown, &order, Path::new(&request.path))?,
        Some(template) => filled(&readers[0], &shown, &order, Path::new(template), Path::new(&request.path))?,
    };
    ctx.audit("reports.month_exported", freeze, json!({ "rows": rows }))?;
    let bytes = std::fs::metadata(&request.path)?.len();
    Ok(MonthExportResponse { path: request.path.clone(), rows, bytes, freeze })
}

/// Fills the hospital's form. Returns how many cells.
fn filled(
    connection: &Connection,
    shown: &Shown,
    order: &Order<'_>,
    template: &Path,
    target: &Path,
) -> Result<i64> {
    let voice = Voice::new(connection, order.language, shown.staff.clone())?;
    let hospital: String =
        connection.query_row("SELECT hospital FROM desk", [], |row| row.get("hospital"))?;
    let compared = match &shown.frozen {
        Some(frozen) => Some(restate::compare(connection, &order.month, frozen, &shown.parts)?),
        None => None,
    };
    order.progress.check()?;
    let data = fill::data(shown, order, &voice, &hospital, compared.as_ref());
    let filled = fill::fill(template, &data, target)?;
    Ok(i64::try_from(filled.cells).unwrap_or(i64::MAX))
}

/// Everything that a template may name.
pub fn placeholders(_: &Ctx, request: PlaceholdersRequest) -> Result<PlaceholdersResponse> {
    Ok(PlaceholdersResponse { placeholders: fill::placeholders(request.language) })
}

/// Writes the example template, with every figure and table, to begin one's own from.
///
/// # Errors
/// `Invalid` with `path`; `FileUnwritable`.
pub fn example(_: &Ctx, request: ExampleRequest) -> Result<Done> {
    if !request.path.to_lowercase().ends_with(".xlsx") {
        return Err(Error::field("path", ErrorCode::NotAllowed));
    }
    let bytes: &[u8] = match request.language {
        Language::Chinese => include_bytes!("../../../../../assets/templates/month.zh-CN.xlsx"),
        Language::English => include_bytes!("../../../../../assets/templates/month.en.xlsx"),
    };
    std::fs::write(&request.path, bytes)
        .map_err(|error| Error::new(ErrorCode::FileUnwritable).caused_by(error))?;
    Ok(Done {})
}
