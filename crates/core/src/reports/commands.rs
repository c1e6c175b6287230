//! Figures, the rows behind them, and the Excel of a period.

use std::path::Path;

use aftercare_domain::access::Permission;
use aftercare_domain::error_code::ErrorCode;
use chrono::NaiveDate;
use rusqlite::Connection;
use serde_json::json;

use super::dashboard::{Kind, Totals};
use super::population::Today;
use super::{
    DepartmentsRequest, DepartmentsResponse, ExportRequest, ExportResponse, FigureCode, FiguresRequest,
    FiguresResponse, RowsExportRequest, RowsRequest, RowsResponse, Scope, export, figures, rows_export,
    store,
};
use crate::app::Ctx;
use crate::app::jobs;
use crate::error::{Error, FieldErrors, Result};
use crate::session::commands::confirm_password;
use crate::settings;
use crate::words::{Language, Words};

/// Longest period of one report.
const MOST_DAYS: i64 = 366 * 3;

/// Every figure of a period and what the charts draw.
pub fn figures(ctx: &Ctx, request: FiguresRequest) -> Result<FiguresResponse> {
    check_scope(&request.scope)?;
    ctx.read(|c| figures::overview(c, &request.scope, &today(ctx, c)?, &request.parts))
}

fn today(ctx: &Ctx, connection: &Connection) -> Result<Today> {
    Ok(Today::new(ctx.local_now().date(), &settings::calendar(connection)?))
}

/// The rows behind a number.
pub fn rows(ctx: &Ctx, request: RowsRequest) -> Result<RowsResponse> {
    check_rows(&request)?;
    let rows = ctx.read(|c| store::rows(c, &request, &today(ctx, c)?))?;
    if request.offset == 0 {
        ctx.audit("reports.rows", None, json!({ "figure": request.code, "rows": rows.total }))?;
    }
    Ok(rows)
}

fn check_rows(request: &RowsRequest) -> Result<()> {
    check_scope(&request.scope)?;
    if request.cell.is_some() && request.code != FigureCode::ConnectionByCall {
        return Err(Error::field("cell", ErrorCode::NotAllowed));
    }
    if request.code.above(request.slice.as_deref()).is_none() {
        return Err(Error::field("slice", ErrorCode::NotAllowed));
    }
    Ok(())
}

/// Departments, plans, nurses and sites to choose from.
pub fn departments(ctx: &Ctx, _: DepartmentsRequest) -> Result<DepartmentsResponse> {
    ctx.read(|connection| {
        let totals = Totals::open(connection)?;
        Ok(DepartmentsResponse {
            departments: store::department_names(connection)?,
            plans: store::plans(connection, &totals)?,
            nurses: store::choices(connection, &totals, Kind::Nurse)?,
            sites: store::choices(connection, &totals, Kind::Site)?,
        })
    })
}

/// Writes the Excel of the rows behind a number in the background; the job's result is an `ExportResponse`.
pub fn rows_export_start(ctx: &Ctx, request: RowsExportRequest) -> Result<settings::JobStarted> {
    check_rows_export(ctx, &request)?;
    let id = jobs::start(ctx, "reports_rows_export", move |ctx, _| rows_export_now(ctx, &request))?;
    Ok(settings::JobStarted { id })
}

/// Writes the Excel of the rows behind a number, and waits for it.
///
/// Errors: as for [`export`].
pub fn rows_export(ctx: &Ctx, request: RowsExportRequest) -> Result<ExportResponse> {
    check_rows_export(ctx, &request)?;
    rows_export_now(ctx, &request)
}

fn check_rows_export(ctx: &Ctx, request: &RowsExportRequest) -> Result<()> {
    check_rows(&request.rows)?;
    check_release(ctx, &request.reason, &request.path, request.reveal, &request.password)
}

fn rows_export_now(ctx: &Ctx, request: &RowsExportRequest) -> Result<ExportResponse> {
    let scope = &request.rows.scope;
    let (words, watermark) = words(ctx, request.language, &request.reason, scope);
    let detail = json!({ "figure": request.rows.code, "from": scope.from, "to": scope.to, "reveal": request.reveal,
                         "reason": request.reason.trim() });
    ctx.audit("reports.rows_export", None, detail)?;
    // One snapshot for the number and its rows, on a connection that holds nobody up.
    let beside = ctx.db().connect_beside()?;
    let snapshot = beside.unchecked_transaction()?;
    let order = rows_export::Order {
        rows: &request.rows,
        today: &today(ctx, &snapshot)?,
        words: &words,
        reveal: request.reveal,
        watermark: &watermark,
        max_rows: settings::load(&snapshot)?.export_max_rows,
    };
    let rows = rows_export::write(&snapshot, &order, Path::new(&request.path))?;
    ctx.audit("reports.rows_exported", None, json!({ "figure": request.rows.code, "rows": rows }))?;
    let bytes = std::fs::metadata(&request.path)?.len();
    Ok(ExportResponse { path: request.path.clone(), rows, bytes })
}

/// Writes the Excel of a period in the background; the job's result is an `ExportResponse`.
pub fn export_start(ctx: &Ctx, request: ExportRequest) -> Result<settings::JobStarted> {
    check_export(ctx, &request)?;
    let id = jobs::start(ctx, "reports_export", move |ctx, _| export_now(ctx, &request))?;
    Ok(settings::JobStarted { id })
}

/// Writes the Excel of a period, and waits for it.
///
/// Errors: `Invalid`, `WrongPassword`, `Forbidden` (reveal), `ExportTooLarge`, `ExportMismatch`, `FileUnwritable`.
pub fn export(ctx: &Ctx, request: ExportRequest) -> Result<ExportResponse> {
    check_export(ctx, &request)?;
    export_now(ctx, &request)
}

fn check_export(ctx: &Ctx, request: &ExportRequest) -> Result<()> {
    check_scope(&request.scope)?;
    // Its sheets are of whole departments; the rows behind a number export with every filter.
    let Scope { site, plan, nurse, .. } = &request.scope;
    for (field, set) in
        [("scope.site", site.is_some()), ("scope.plan", plan.is_some()), ("scope.nurse", nurse.is_some())]
    {
        if set {
            return Err(Error::field(field, ErrorCode::NotAllowed));
        }
    }
    check_release(ctx, &request.reason, &request.path, request.reveal, &request.password)
}

/// What every file with patients in it needs.
fn check_release(ctx: &Ctx, reason: &str, path: &str, reveal: bool, password: &str) -> Result<()> {
    let mut errors = FieldErrors::default();
    let reason = reason.trim();
    if reason.is_empty() {
        errors.add("reason", ErrorCode::Required);
    } else if reason.chars().count() > 100 {
        errors.add_with("reason", ErrorCode::TooLong, "max", 100);
    }
    if !path.to_lowercase().ends_with(".xlsx") {
        errors.add("path", ErrorCode::NotAllowed);
    }
    errors.check()?;
    if reveal && !ctx.may(Permission::ArchiveReveal) {
        return Err(Error::new(ErrorCode::Forbidden).with("permission", "archive_reveal"));
    }
    confirm_password(ctx, password)
}

/// The words of a language, and what stands on every sheet.
fn words(ctx: &Ctx, language: Language, reason: &str, scope: &Scope) -> (Words, String) {
    let words = Words::read(match language {
        Language::Chinese => include_str!("../../../../assets/locales/zh-CN/reports.json"),
        Language::English => include_str!("../../../../assets/locales/en/reports.json"),
    });
    let when = ctx.local_now().format("%Y-%m-%d %H:%M").to_string();
    let watermark = words.filled(
        "export.watermark",
        &[
            ("who", &ctx.session.user.display_name),
            ("login", &ctx.session.user.login),
            ("when", &when),
            ("reason", reason.trim()),
            ("from", &scope.from),
            ("to", &scope.to),
        ],
    );
    (words, watermark)
}

fn export_now(ctx: &Ctx, request: &ExportRequest) -> Result<ExportResponse> {
    let (_, watermark) = words(ctx, request.language, &request.reason, &request.scope);
    let max_rows = ctx.read(settings::load)?.export_max_rows;
    let scope = &request.scope;
    let order =
        export::Order { scope, language: request.language, reveal: request.reveal, watermark, max_rows };
    // Before the file exists, so that no export goes unlogged; the outcome follows in a second line.
    let detail = json!({ "from": scope.from, "to": scope.to, "reveal": request.reveal, "reason": request.reason.trim() });
    ctx.audit("reports.export", None, detail)?;
    let totals = export::write(ctx.db().snapshots()?, &order, Path::new(&request.path))?;
    ctx.audit("reports.exported", None, json!({ "rows": totals.rows, "discharges": totals.discharges }))?;
    let bytes = std::fs::metadata(&request.path)?.len();
    Ok(ExportResponse { path: request.path.clone(), rows: totals.rows, bytes })
}

/// A period is two dates in order, at most three years.
fn check_scope(scope: &Scope) -> Result<()> {
    let mut errors = FieldErrors::default();
    let mut day = |field: &str, text: &str| {
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10);
        if day.is_none() {
            errors.add(field, ErrorCode::BadDate);
        }
        day
    };
    let (from, to) = (day("scope.from", &scope.from), day("scope.to", &scope.to));
    if let (Some(from), Some(to)) = (from, to)
        && !(0..MOST_DAYS).contains(&(to - from).num_days())
    {
        errors.add("scope.to", ErrorCode::BadDate);
    }
    errors.check()
}
