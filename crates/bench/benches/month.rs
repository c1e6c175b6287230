//! The month's report with 100,000 rows of each detail against rust_xlsxwriter writing the same cells.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::{Path, PathBuf};

use aftercare_bench::desk::{self, PASSWORD};
use aftercare_bench::measure::{self, Figure, millis, rows, thousands, timed};
use aftercare_bench::workbook::{cells, fill, write_bare};
use serde_json::json;

/// Follow-ups, and as many discharges and calls.
const ROWS: usize = 100_000;

fn main() {
    if measure::child_task().as_deref() == Some("month") {
        report(Path::new(&std::env::var("HOME_FOLDER").unwrap()));
        return measure::print_peak();
    }
    let name = format!("month: {} follow-ups", thousands(rows(ROWS)));
    if !measure::wanted(&name) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("desk");
    drop(desk::open(&home));
    fill(&home, ROWS);
    let (ours, path) = timed(|| report(&home));
    let sheets = cells(&path);
    let (base, ()) = timed(|| write_bare(&sheets, &folder.path().join("bare.xlsx")));
    measure::print(&Figure { name: &name, ours: millis(ours), base: millis(base), goal: 1.5, unit: "ms" });
    drop(sheets);
    let peak = measure::peak_of_child("month", &[("HOME_FOLDER", home.to_str().unwrap())]);
    measure::print(&Figure { name: "month: peak memory", ours: peak, base: 200.0, goal: 1.0, unit: "MB" });
}

fn report(home: &Path) -> PathBuf {
    let app = desk::open(home);
    let path = home.join("month.xlsx");
    let sheets = ["followup", "complaints", "satisfaction", "workload", "doctors", "departments"];
    let request = json!({ "month": "2026-11", "sheets": sheets, "path": path, "password": PASSWORD, "reason": "benchmark",
                          "reveal": true, "language": "zh-CN" });
    let (time, _) = timed(|| desk::call(&app, "reports_month_export", request));
    eprintln!("ours without opening the desk: {:.0} ms", millis(time));
    path
}
