//! Files of every kind and under every name, and files that are meant to do harm: a full import or a clear refusal.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::{count, fixture, import, import_text, write};
use crate::testing::Desk;

const HEAD: &str = "病案号,姓名,性别,出院时间\n";

fn refused(desk: &Desk, name: &str, bytes: &[u8]) -> String {
    let path = write(desk, name, bytes);
    let code = desk.refused("imports_run", json!({ "path": path }));
    for table in ["patient", "encounter", "task", "import_batch", "import_row"] {
        assert_eq!(count(desk, &format!("SELECT count(*) FROM {table}")), 0, "{table} after {name}");
    }
    code
}

fn wait_for(desk: &Desk, job: &Value) -> Value {
    for _ in 0..600 {
        let status = desk.call("settings_job", json!({ "id": job }));
        if status["state"] != "running" {
            return status;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the job did not end");
}

/// A dBase III table with the given fields and records; a record that begins with `*` is deleted.
fn dbf(fields: &[(&str, u8)], records: &[&[u8]]) -> Vec<u8> {
    let width = 1 + fields.iter().map(|(_, length)| u16::from(*length)).sum::<u16>();
    let header = u16::try_from(32 + 32 * fields.len() + 1).unwrap();
    let mut bytes = vec![0x03, 126, 11, 16];
    bytes.extend(u32::try_from(records.len()).unwrap().to_le_bytes());
    bytes.extend(header.to_le_bytes());
    bytes.extend(width.to_le_bytes());
    bytes.resize(32, 0);
    bytes[29] = 0x4D;
    for (name, length) in fields {
        let mut field = [0_u8; 32];
        field[..name.len()].copy_from_slice(name.as_bytes());
        field[11] = b'C';
        field[16] = *length;
        bytes.extend(field);
    }
    bytes.push(0x0D);
    for record in records {
        let mut record = record.to_vec();
        record.resize(usize::from(width), b' ');
        bytes.extend(record);
    }
    bytes.push(0x1A);
    bytes
}

#[test]
fn a_table_of_foxpro_in_cp936_is_imported_without_its_deleted_rows() {
    let desk = Desk::new();
    let fields = [("BAH", 8), ("XM", 8), ("XB", 2), ("CYSJ", 10)];
    let table = dbf(
        &fields,
        &[
            b" 00000001\xC0\xEE\xC3\xB7    2 2026-11-10",
            b"*00000002\xC0\xEE\xC3\xB7    2 2026-11-10",
            b" 00000003\xCD\xF5\xCE\xB0    1 2026-11-11",
        ],
    );
    let path = write(&desk, "out.dbf", &table);
    let result = import(&desk, &path);
    assert_eq!((&result["format"], &result["created"]), (&json!("dbf"), &json!(2)), "{result}");
    assert_eq!(result["deleted_rows"], 1);
    assert_eq!(count(&desk, "SELECT count(*) FROM patient WHERE name IN ('李梅', '王伟')"), 2);
}

#[test]
fn a_file_is_what_it_holds_and_not_what_it_is_called() {
    let desk = Desk::new();
    let html = "<html><body><table><tr><th>病案号</th><th>姓名</th><th>性别</th><th>出院时间</th></tr>\
                <tr><td>A1</td><td>李梅</td><td>女</td><td>2026-11-10</td></tr></table></body></html>";
    let result = import_text(&desk, "list.xls", html);
    assert_eq!((&result["format"], &result["created"]), (&json!("html"), &json!(1)), "{result}");
    let workbook = std::fs::read(fixture("出院患者.xlsx")).unwrap();
    let path = write(&desk, "really-a-workbook.csv", &workbook);
    let result = import(&desk, &path);
    assert_eq!((&result["format"], &result["created"]), (&json!("xlsx"), &json!(120)));
    let mut wide = vec![0xFF, 0xFE];
    wide.extend(format!("{HEAD}A9,王伟,男,2026-11-10\n").encode_utf16().flat_map(u16::to_le_bytes));
    let path = write(&desk, "unicode.txt", &wide);
    let result = import(&desk, &path);
    assert_eq!((&result["encoding"], &result["created"]), (&json!("utf-16le"), &json!(1)), "{result}");
}

#[test]
fn damaged_and_oversized_files_are_refused_and_nothing_is_written() {
    let desk = Desk::new();
    let workbook = std::fs::read(fixture("出院患者.xlsx")).unwrap();
    let cut = refused(&desk, "cut.xlsx", &workbook[..workbook.len() / 2]);
    assert!(cut.starts_with("file_"), "{cut}");
    let long = format!("{HEAD}A1,李梅,女,2026-11-10\nA2,{},女,2026-11-10\n", "长".repeat(1 << 20));
    assert_eq!(refused(&desk, "long-cell.csv", long.as_bytes()), "cell_too_long");
    let open = format!(
        "{HEAD}A1,李梅,女,2026-11-10\nA2,\"王伟,男,2026-11-10\n{}",
        "A3,赵六,男,2026-11-10\n".repeat(2_000)
    );
    assert_eq!(refused(&desk, "open-quote.csv", open.as_bytes()), "quote_unclosed");
    assert_eq!(refused(&desk, "picture.xlsx", b"\x89PNG\r\n\x1a\n0000"), "format_unsupported");
    assert_eq!(desk.refused("imports_run", json!({ "path": desk.home.path() })), "file_not_regular");
}

#[test]
fn a_stopped_import_leaves_nothing_and_readers_are_not_kept_waiting() {
    let desk = Desk::new();
    let rows: String =
        (0..20_000).map(|n| format!("M{n:06},王伟,男,2026-11-{:02} 10:00\n", n % 14 + 1)).collect();
    let path = write(&desk, "many.csv", format!("{HEAD}{rows}").as_bytes());
    let job = desk.call("imports_start", json!({ "path": path }))["job"].clone();
    let mut seen = 0;
    loop {
        let status = desk.call("settings_job", json!({ "id": job }));
        assert_eq!(count(&desk, "SELECT count(*) FROM patient"), 0, "nothing half done is ever seen");
        if status["done"].as_u64() > Some(0) || status["state"] != "running" || seen > 400 {
            break;
        }
        seen += 1;
        std::thread::sleep(Duration::from_millis(10));
    }
    desk.call("settings_job_cancel", json!({ "id": job }));
    assert_eq!(wait_for(&desk, &job)["state"], "cancelled");
    assert_eq!(count(&desk, "SELECT count(*) FROM patient"), 0);
    assert_eq!(count(&desk, "SELECT count(*) FROM import_batch"), 0);
}

#[test]
fn the_report_holds_the_original_cells_and_imports_again_once_mended() {
    let desk = Desk::new();
    let path = desk.home.path().join("report.xlsx");
    let bad = format!("{HEAD}001,李梅,女,2099-01-01\n002,王伟,男,2026-11-10\n");
    import_text(&desk, "bad.csv", &bad);
    let written = desk.call("imports_report", json!({ "batch": "1", "path": path, "language": "zh-CN" }));
    assert_eq!(written["rows"], 1);
    let looked = desk.call("imports_inspect", json!({ "path": path, "sheet": null, "profile": null }));
    let fields: Vec<&Value> =
        looked["columns"].as_array().unwrap().iter().map(|column| &column["field"]).collect();
    assert_eq!(fields, [&json!("mrn"), &json!("name"), &json!("sex"), &json!("discharged_at")]);
    let again = import(&desk, Path::new(&path));
    assert_eq!(again["rejected"][0]["code"], "date_in_future", "the cells are as they were: {again}");
}
