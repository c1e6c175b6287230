//! Imports in real processes: a whole file or nothing, whatever happens to the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aftercare_suite::demo::{moved_to, sample};
use aftercare_suite::headless::{Headless, refusal, signal};
use aftercare_suite::programs::root;
use chrono::{FixedOffset, TimeDelta, Utc};
use serde_json::Value;

use crate::{assert_whole, hospital};

/// The sample repeated under other hospital numbers, so that an import takes a while; with how many rows.
fn long_extract(folder: &Path) -> (PathBuf, u64) {
    const COPIES: usize = 12;
    let sample = sample().unwrap();
    let text = encoding_rs::GB18030.decode(&sample).0;
    let (headings, rows) = text.split_once('\n').unwrap();
    let mut extract = format!("{headings}\n");
    let rows: Vec<&str> = rows.lines().filter(|row| !row.is_empty()).collect();
    for copy in 0..COPIES {
        for row in &rows {
            let mut cells: Vec<String> = row.split(',').map(str::to_owned).collect();
            cells[0] = format!("{}{copy:02}", cells[0]);
            cells[1] = format!("{}{copy:02}", cells[1]);
            // The same ID number would be the same person.
            cells[5].clear();
            extract.push_str(&cells.join(","));
            extract.push_str("\r\n");
        }
    }
    let file = folder.join("出院患者.csv");
    fs::write(&file, encoding_rs::GB18030.encode(&extract).0).unwrap();
    (file, (rows.len() * COPIES) as u64)
}

fn number(done: &Value, name: &str) -> u64 {
    done[name].as_u64().unwrap()
}

/// How many of the file's rows the archive has, which a dry run tells without writing.
fn already_there(desk: &Headless, file: &Path) -> u64 {
    let tried = desk.done(&["import", file.to_str().unwrap(), "--dry-run"]).unwrap();
    assert_eq!(tried["batch"], Value::Null);
    number(&tried, "unchanged")
}

#[test]
fn the_sample_arrives_field_by_field_and_can_be_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let desk = hospital(&folder.path().join("home"));
    let fixtures = root().join("tests/fixtures/imports");
    let expected: Vec<Value> =
        serde_json::from_slice(&fs::read(fixtures.join("expected.json")).unwrap()).unwrap();
    let file = fixtures.join("出院患者_gb18030.csv");
    let done = desk.done(&["import", file.to_str().unwrap()]).unwrap();
    assert_eq!(done["format"], "csv");
    assert!(done["encoding"].as_str().unwrap().eq_ignore_ascii_case("gb18030"));
    assert_eq!(number(&done, "created"), expected.len() as u64, "{done}");

    for patient in expected.iter().step_by(7) {
        let shown = desk.done(&["patient", "--mrn", patient["mrn"].as_str().unwrap()]).unwrap();
        assert_eq!(shown["name"], patient["name"]);
        assert_eq!(shown["sex"], patient["sex"]);
        assert_eq!(shown["birth_date"], patient["birth"]);
        let stay = shown["encounters"].as_array().unwrap();
        let stay = stay.iter().find(|stay| stay["visit_no"] == patient["visit_no"]).unwrap();
        for (ours, theirs) in [
            ("department", "dept"),
            ("discharged_at", "discharge"),
            ("diagnosis_code", "icd"),
            ("diagnosis", "dx"),
            ("doctor", "doctor"),
            ("total_fee", "cost"),
        ] {
            assert_eq!(stay[ours], patient[theirs], "{ours}");
        }
        let phones = shown["phones"].as_array().unwrap();
        assert!(phones.iter().any(|phone| phone["number"] == patient["mobile"]), "the own phone, in full");
    }

    let again = desk.done(&["import", file.to_str().unwrap()]).unwrap();
    assert_eq!(
        (number(&again, "created"), number(&again, "updated")),
        (0, 0),
        "the same file changes nothing"
    );

    let batch = done["batch"].to_string();
    desk.done(&["undo-import", &batch]).unwrap();
    assert_eq!(
        desk.refused(&["patient", "--mrn", expected[0]["mrn"].as_str().unwrap()]).unwrap(),
        "not_found"
    );
    assert_whole(&desk);
}

#[test]
fn an_import_starts_the_work_of_the_day() {
    let folder = tempfile::tempdir().unwrap();
    let desk = hospital(&folder.path().join("home"));
    let today =
        FixedOffset::east_opt(8 * 3600).map(|china| Utc::now().with_timezone(&china).date_naive()).unwrap();
    let file = folder.path().join("出院患者.csv");
    fs::write(&file, moved_to(&sample().unwrap(), today).unwrap()).unwrap();
    desk.done(&["import", file.to_str().unwrap()]).unwrap();
    let found = desk.done(&["find", "刘㛃"]).unwrap();
    assert_eq!(found["hits"][0]["name"], "刘㛃");
    let list = desk.done(&["worklist"]).unwrap();
    assert!(!list["rows"].as_array().unwrap().is_empty(), "somebody is due after these discharges");
    let out = folder.path().join("10月.xlsx");
    let (from, to) = ((today - TimeDelta::days(30)).to_string(), today.to_string());
    let words = ["export", "followups", "--from", &from, "--to", &to, "--out", out.to_str().unwrap()];
    desk.done(&words).unwrap();
    assert!(fs::read(&out).unwrap().starts_with(b"PK"));
    assert_whole(&desk);
}

#[test]
fn a_killed_import_is_all_there_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let (file, rows) = long_extract(folder.path());
    let path = file.to_str().unwrap();
    let scratch = hospital(&folder.path().join("scratch"));
    let begun = Instant::now();
    assert_eq!(number(&scratch.done(&["import", path]).unwrap(), "created"), rows);
    let whole = begun.elapsed();

    let desk = hospital(&folder.path().join("home"));
    for tenths in [1, 3, 5, 7, 8, 9] {
        let mut running = desk.start(&["import", path]).unwrap();
        std::thread::sleep(whole * tenths / 10);
        let _ = running.kill();
        let acknowledged = running.wait().unwrap().success();
        let there = already_there(&desk, &file);
        assert!(there == 0 || there == rows, "{there} of {rows} rows: half a batch");
        assert!(!acknowledged || there == rows, "an acknowledged import was lost");
        assert_whole(&desk);
        if there == rows {
            return;
        }
    }
    assert_eq!(number(&desk.done(&["import", path]).unwrap(), "created"), rows);
    assert_whole(&desk);
}

#[test]
fn an_import_that_fills_the_disk_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (file, rows) = long_extract(folder.path());
    let desk = hospital(&folder.path().join("home"));
    let database = fs::metadata(desk.home.join("aftercare.db")).unwrap().len();
    let kilobytes = database / 1024 + 500;
    let output = desk.run_with_little_disk(kilobytes, &["import", file.to_str().unwrap()]).unwrap();
    assert_eq!(refusal(&output).unwrap(), "disk_full");
    assert_whole(&desk);
    assert_eq!(already_there(&desk, &file), 0);
    assert_eq!(number(&desk.done(&["import", file.to_str().unwrap()]).unwrap(), "created"), rows);
}

#[test]
fn a_program_that_hangs_in_an_import_is_told_to_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let (file, rows) = long_extract(folder.path());
    let desk = hospital(&folder.path().join("home"));
    let mut hanging = desk.start(&["import", file.to_str().unwrap()]).unwrap();
    let mut busy = false;
    // Until it is caught in the middle of its writing.
    while !busy && hanging.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(60));
        if hanging.try_wait().unwrap().is_some() || signal(hanging.id(), "STOP").is_err() {
            break;
        }
        let next = desk.run(&["audit", "verify"]).unwrap();
        signal(hanging.id(), "CONT").unwrap();
        if !next.status.success() {
            assert_eq!(refusal(&next).unwrap(), "database_busy");
            busy = true;
        }
    }
    let ended = hanging.wait_with_output().unwrap();
    assert!(ended.status.success(), "it goes on where it was: {}", String::from_utf8_lossy(&ended.stderr));
    assert!(busy, "nobody met it while it was writing");
    assert_eq!(already_there(&desk, &file), rows);
    assert_whole(&desk);
}

#[test]
fn two_imports_of_one_file_bring_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let (file, rows) = long_extract(folder.path());
    let desk = hospital(&folder.path().join("home"));
    let words = ["import", file.to_str().unwrap()];
    let running = [desk.start(&words).unwrap(), desk.start(&words).unwrap()];
    let mut created = 0;
    for program in running {
        let output = program.wait_with_output().unwrap();
        if output.status.success() {
            created += number(&serde_json::from_slice(&output.stdout).unwrap(), "created");
        } else {
            assert_eq!(refusal(&output).unwrap(), "database_busy");
        }
    }
    assert_eq!(created, rows);
    assert_eq!(already_there(&desk, &file), rows);
    assert_whole(&desk);
}
