//! The month's workbook of 100,000 follow-ups against rust_xlsxwriter writing the same cells.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::Path;

use aftercare_bench::desk::{self, PASSWORD};
use aftercare_bench::measure::{self, Figure, millis, rows, thousands, timed};
use aftercare_bench::workbook::{cells, fill, write_bare};
use serde_json::json;

/// Rows of the detail sheet.
const ROWS: usize = 100_000;
/// Its columns.
const COLUMNS: usize = 32;

fn main() {
    if measure::child_task().as_deref() == Some("export") {
        export(Path::new(&std::env::var("HOME_FOLDER").unwrap()));
        return measure::print_peak();
    }
    let name = format!("excel: {} rows × {COLUMNS} columns", thousands(rows(ROWS)));
    if !measure::wanted(&name) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("desk");
    drop(desk::open(&home));
    fill(&home, ROWS);
    let (ours, path) = timed(|| export(&home));
    let sheets = cells(&path);
    let (base, ()) = timed(|| write_bare(&sheets, &folder.path().join("bare.xlsx")));
    measure::print(&Figure { name: &name, ours: millis(ours), base: millis(base), goal: 1.3, unit: "ms" });
    drop(sheets);
    let peak = measure::peak_of_child("export", &[("HOME_FOLDER", home.to_str().unwrap())]);
    measure::print(&Figure { name: "excel: peak memory", ours: peak, base: 150.0, goal: 1.0, unit: "MB" });
}

fn export(home: &Path) -> std::path::PathBuf {
    let app = desk::open(home);
    let path = home.join("month.xlsx");
    let scope = json!({ "from": "2026-11-01", "to": "2026-11-30", "department": null });
    let request = json!({ "scope": scope, "path": path, "password": PASSWORD, "reason": "benchmark", "reveal": true, "language": "zh-CN" });
    let (time, written) = timed(|| desk::call(&app, "reports_export", request));
    assert_eq!(written["rows"], rows(ROWS));
    eprintln!("ours without opening the desk: {:.0} ms", millis(time));
    path
}
