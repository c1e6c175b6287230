//! Figures, the rows behind them, and the Excel of a period.

use std::path::Path;

use aftercare_domain::access::Permission;
use aftercare_domain::error_code::ErrorCode;
use chrono::NaiveDate;
use serde_json::json;

use super::{
    DepartmentsRequest, DepartmentsResponse, ExportRequest, ExportResponse, FigureCode, FiguresRequest,
    FiguresResponse, RowsRequest, RowsResponse, Scope, export, figures, store,
};
use crate::app::Ctx;
use crate::app::jobs;
use crate::error::{Error, FieldErrors, Result};
use crate::session::commands::confirm_password;
use crate::settings;
use crate::words::Words;

/// Longest period of one report.
const MOST_DAYS: i64 = 366 * 3;

/// Every figure of a period and what the charts draw.
pub fn figures(ctx: &Ctx, request: FiguresRequest) -> Result<FiguresResponse> {
    check_scope(&request.scope)?;
    ctx.read(|c| figures::overview(c, &request.scope))
}

/// The rows behind a number.
pub fn rows(ctx: &Ctx, request: RowsRequest) -> Result<RowsResponse> {
    check_scope(&request.scope)?;
    if request.cell.is_some() && request.code != FigureCode::ConnectionByCall {
        return Err(Error::field("cell", ErrorCode::NotAllowed));
    }
    let rows = ctx.read(|c| store::rows(c, &request))?;
    if request.offset == 0 {
        ctx.audit("reports.rows", None, json!({ "figure": request.code, "rows": rows.total }))?;
    }
    Ok(rows)
}

/// Departments to choose from.
pub fn departments(ctx: &Ctx, _: DepartmentsRequest) -> Result<DepartmentsResponse> {
    Ok(DepartmentsResponse { departments: ctx.read(store::department_names)? })
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
    let mut errors = FieldErrors::default();
    let reason = request.reason.trim();
    if reason.is_empty() {
        errors.add("reason", ErrorCode::Required);
    } else if reason.chars().count() > 100 {
        errors.add_with("reason", ErrorCode::TooLong, "max", 100);
    }
    if !request.path.to_lowercase().ends_with(".xlsx") {
        errors.add("path", ErrorCode::NotAllowed);
    }
    errors.check()?;
    if request.reveal && !ctx.may(Permission::ArchiveReveal) {
        return Err(Error::new(ErrorCode::Forbidden).with("permission", "archive_reveal"));
    }
    confirm_password(ctx, &request.password)
}

fn export_now(ctx: &Ctx, request: &ExportRequest) -> Result<ExportResponse> {
    let words = Words::read(match request.language {
        crate::words::Language::Chinese => include_str!("../../../../assets/locales/zh-CN/reports.json"),
        crate::words::Language::English => include_str!("../../../../assets/locales/en/reports.json"),
    });
    let when = ctx.local_now().format("%Y-%m-%d %H:%M").to_string();
    let watermark = words.filled(
        "export.watermark",
        &[
            ("who", &ctx.session.user.display_name),
            ("login", &ctx.session.user.login),
            ("when", &when),
            ("reason", request.reason.trim()),
            ("from", &request.scope.from),
            ("to", &request.scope.to),
        ],
    );
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
