//! The same people again: more stays, corrections, deaths, twins of numbers; and taking batches back.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{count, fixture, import, import_text, visible, write};
use crate::testing::Desk;

const HEAD: &str = "病案号,住院号,姓名,性别,出生日期,身份证号,联系电话,现住址,出院科室,入院时间,出院时间,主要诊断编码,主要诊断,离院方式\n";
const LI: &str = "11010519491231002X";

fn row(mrn: &str, visit: &str, name: &str, id: &str, address: &str, days: (u32, u32), leave: &str) -> String {
    format!(
        "{mrn},{visit},{name},,,{id},13800138000,{address},心内科,2026-11-{:02} 08:00,2026-11-{:02} 10:00,I10,高血压,{leave}\n",
        days.0, days.1
    )
}

/// Everything that a person sees of the archive and of follow-up, without ids and instants.
fn seen(desk: &Desk) -> Vec<String> {
    let mut all = visible(
        desk,
        "SELECT mrn, name, sex, birth_on, id_number, address, insurance, first_seen_on, customer_kind, deceased, deceased_on
         FROM patient WHERE removed = 0 ORDER BY mrn, name, id_number",
    );
    all.extend(visible(
        desk,
        "SELECT patient.mrn, patient.name, number, relation, owner_name FROM phone
         JOIN patient ON patient.id = patient_id WHERE phone.removed = 0 ORDER BY 1, 2, 3",
    ));
    all.extend(visible(
        desk,
        "SELECT patient.mrn, patient.name, visit_no, department, admitted_at, discharged_at, diagnosis, disposition,
                total_fee_fen
         FROM encounter JOIN patient ON patient.id = patient_id WHERE encounter.removed = 0 ORDER BY 1, 2, 3, 6",
    ));
    all
}

/// Open work, as the worklist would show it.
fn work(desk: &Desk) -> Vec<String> {
    visible(
        desk,
        "SELECT patient.mrn, plan_code, timepoint, due_on, window_ends_on, status FROM task
         JOIN patient ON patient.id = patient_id WHERE status IN ('open', 'waiting') ORDER BY 1, 2, 3, 4",
    )
}

fn undo(desk: &Desk, batch: &Value) -> Value {
    desk.call("imports_undo_run", json!({ "batch": batch.to_string() }))
}

fn warned(result: &Value) -> Vec<&str> {
    result["warnings"].as_array().unwrap().iter().map(|w| w["code"].as_str().unwrap()).collect()
}

#[test]
fn a_discharge_starts_its_follow_up_and_death_none() {
    let desk = Desk::new();
    import(&desk, &fixture("出院患者_gb18030.csv"));
    assert!(count(&desk, "SELECT count(*) FROM task WHERE status = 'open'") > 50);
    let of_dead = "SELECT count(*) FROM task JOIN patient ON patient.id = patient_id WHERE deceased = 1";
    assert_eq!(
        (count(&desk, "SELECT count(*) FROM patient WHERE deceased = 1"), count(&desk, of_dead)),
        (4, 0)
    );
    let found = desk.call("archive_find", json!({ "query": "刘㛃", "limit": 5 }));
    assert!(found.to_string().contains("㛃"), "{found}");
}

#[test]
fn death_in_a_later_file_stops_the_tasks_and_no_file_takes_it_back() {
    let desk = Desk::new();
    let alive = row("A1", "Z1", "李梅", LI, "", (1, 10), "1");
    import_text(&desk, "1.csv", &format!("{HEAD}{alive}"));
    assert!(!work(&desk).is_empty());
    let before = (seen(&desk), work(&desk));
    let died =
        import_text(&desk, "2.csv", &format!("{HEAD}{}", row("A1", "Z2", "李梅", LI, "", (12, 14), "死亡")));
    assert_eq!((&died["created"], work(&desk).len()), (&json!(1), 0));
    let later =
        import_text(&desk, "3.csv", &format!("{HEAD}{}", row("A1", "Z3", "李梅", LI, "", (15, 16), "1")));
    assert_eq!(warned(&later), ["death_kept"]);
    assert_eq!(count(&desk, "SELECT deceased FROM patient"), 1);
    undo(&desk, &later["batch"]);
    undo(&desk, &died["batch"]);
    assert_eq!((seen(&desk), work(&desk)), before, "taking the death back takes the calls up again");
}

#[test]
fn one_person_with_several_stays_is_one_person() {
    let desk = Desk::new();
    let text = format!(
        "{HEAD}{}{}{}",
        row("A1", "Z1", "李梅", LI, "东街1号", (1, 3), "1"),
        row("A1", "Z2", "李梅", "", "东街1号", (5, 7), "1"),
        row("", "Z3", "李梅", LI, "西街2号", (9, 12), "1")
    );
    let result = import_text(&desk, "stays.csv", &text);
    assert_eq!((&result["created"], &result["suspected_duplicates"]), (&json!(3), &json!(0)), "{result}");
    assert_eq!(
        count(&desk, "SELECT count(*) FROM patient WHERE address = '西街2号' AND customer_kind = 'current'"),
        1
    );
    assert_eq!(count(&desk, "SELECT count(*) FROM phone"), 1);
}

#[test]
fn another_persons_record_is_never_overwritten() {
    let desk = Desk::new();
    import_text(&desk, "1.csv", &format!("{HEAD}{}", row("A1", "Z1", "李梅", LI, "东街1号", (1, 3), "1")));
    let before = seen(&desk);
    let other = row("A1", "Z9", "赵铁柱", "440524188001010014", "北街9号", (5, 7), "1");
    let result = import_text(&desk, "2.csv", &format!("{HEAD}{other}"));
    assert_eq!(result["rejected"][0]["code"], "mrn_of_another");
    assert_eq!(seen(&desk), before);
    // The same name with a corrected ID number: kept apart, for a person to settle.
    let corrected = row("A1", "Z8", "李梅", "440524188001010014", "东街1号", (5, 7), "1");
    let result = import_text(&desk, "3.csv", &format!("{HEAD}{corrected}"));
    assert_eq!(result["suspected_duplicates"], 1);
    assert_eq!(
        count(
            &desk,
            "SELECT count(*) FROM duplicate WHERE state = 'open' AND reasons = '[\"mrn_other_id\"]'"
        ),
        1
    );
    // And once more changes nothing.
    let again = import_text(&desk, "3.csv", &format!("{HEAD}{corrected}"));
    assert_eq!((&again["unchanged"], &again["suspected_duplicates"]), (&json!(1), &json!(0)), "{again}");
}

#[test]
fn a_shared_family_phone_is_not_the_same_person() {
    let desk = Desk::new();
    let text = format!(
        "{HEAD}{}{}",
        row("A1", "Z1", "李梅", "", "东街1号", (1, 3), "1"),
        row("A2", "Z2", "李兰", "", "东街1号", (1, 3), "1")
    );
    let result = import_text(&desk, "family.csv", &text);
    assert_eq!((&result["created"], &result["suspected_duplicates"]), (&json!(2), &json!(0)));
}

#[test]
fn what_the_desk_changed_stays_and_is_told() {
    let desk = Desk::new();
    let at = |address: &str| format!("{HEAD}{}", row("A1", "Z1", "李梅", LI, address, (1, 3), "1"));
    import_text(&desk, "1.csv", &at("东街1号"));
    let ctx = desk.ctx();
    let updated = import_text(&desk, "2.csv", &at("西街2号"));
    assert_eq!(
        (&updated["updated"], &updated["warnings"]),
        (&json!(1), &json!([])),
        "the hospital corrects itself"
    );
    ctx.write(|writer| {
        let id = writer.connection().query_row("SELECT id FROM patient", [], |row| row.get("id"))?;
        writer.update(&crate::change_log::PATIENT, id, &[("address", "南街3号".into())])
    })
    .unwrap();
    let kept = import_text(&desk, "3.csv", &at("北街4号"));
    assert_eq!((&kept["unchanged"], warned(&kept)), (&json!(1), vec!["desk_value_kept"]));
    assert_eq!(count(&desk, "SELECT count(*) FROM patient WHERE address = '南街3号'"), 1);
}

#[test]
fn a_batch_taken_back_leaves_what_was_there_before() {
    let desk = Desk::new();
    let first = format!(
        "{HEAD}{}{}",
        row("A1", "Z1", "李梅", LI, "东街1号", (1, 3), "1"),
        row("A2", "Z2", "王建国", "", "", (1, 10), "1")
    );
    import_text(&desk, "1.csv", &first);
    let before = (seen(&desk), work(&desk));
    let second = format!(
        "{HEAD}{}{}{}{}",
        row("A1", "Z1", "李梅", LI, "西街2号", (1, 4), "1"),
        row("A2", "Z5", "王建国", "", "", (12, 14), "1"),
        row("A3", "Z6", "赵六", "", "", (12, 14), "1"),
        row("A3", "Z7", "赵六", "", "", (15, 16), "5")
    );
    let batch = import_text(&desk, "2.csv", &second);
    assert_eq!((&batch["created"], &batch["updated"]), (&json!(3), &json!(1)), "{batch}");
    let undone = undo(&desk, &batch["batch"]);
    assert_eq!(
        (&undone["patients_removed"], &undone["encounters_removed"]),
        (&json!(1), &json!(3)),
        "{undone}"
    );
    assert_eq!((seen(&desk), work(&desk)), before);
    assert_eq!(
        desk.refused("imports_undo_run", json!({ "batch": batch["batch"].to_string() })),
        "batch_undone"
    );
    // The clerk mends the file and imports it again.
    let again = import_text(&desk, "2.csv", &second);
    assert_eq!((&again["created"], &again["updated"]), (&json!(3), &json!(1)), "{again}");
}

#[test]
fn whoever_was_worked_with_stays_when_a_batch_is_taken_back() {
    let desk = Desk::new();
    let text = format!(
        "{HEAD}{}{}",
        row("A1", "Z1", "李梅", LI, "东街1号", (1, 3), "1"),
        row("A2", "Z2", "王建国", "", "", (1, 10), "1")
    );
    let batch = import_text(&desk, "1.csv", &text);
    desk.ctx()
        .write(|writer| {
            let patient: uuid::Uuid =
                writer
                    .connection()
                    .query_row("SELECT id FROM patient WHERE mrn = 'A1'", [], |row| row.get("id"))?;
            let (id, at, user) = (writer.new_id(), writer.now_millis(), writer.user());
            let fields = [
                ("patient_id", patient.into()),
                ("kind", "note".into()),
                ("body", "很感谢".into()),
                ("noted_at", at.into()),
                ("user_id", user.into()),
            ];
            writer.create(&crate::change_log::NOTE, id, &fields)
        })
        .unwrap();
    let undone = undo(&desk, &batch["batch"]);
    assert_eq!((&undone["patients_kept"], &undone["patients_removed"]), (&json!(1), &json!(1)));
    assert_eq!(count(&desk, "SELECT count(*) FROM patient WHERE removed = 0 AND mrn = 'A1'"), 1);
    assert_eq!(count(&desk, "SELECT count(*) FROM encounter WHERE removed = 0 AND visit_no = 'Z1'"), 1);
}

#[test]
fn a_dry_run_says_what_the_import_would_and_writes_nothing() {
    let desk = Desk::new();
    let path = fixture("出院患者_gb18030.csv");
    let ops = count(&desk, "SELECT count(*) FROM op");
    let report = desk.home.path().join("report.xlsx");
    let tried = desk.call("imports_run", json!({ "path": path, "dry_run": true, "report": report }));
    assert_eq!(
        (count(&desk, "SELECT count(*) FROM op"), count(&desk, "SELECT count(*) FROM import_row")),
        (ops, 0)
    );
    assert!(report.exists(), "the report of a dry run has the same rows");
    let mut real = desk.call("imports_run", json!({ "path": path }));
    assert_eq!((tried["batch"].clone(), real["batch"].clone()), (Value::Null, json!(1)));
    real["batch"] = Value::Null;
    assert_eq!(tried, real);
}

#[test]
fn a_profile_is_recognised_by_its_headings_and_the_report_imports_again() {
    let desk = Desk::new();
    let text = "甲,乙,丙,出院时间,入院时间,性别\nA1,李梅,女,2026-11-10,2026-11-12,女\nA2,王建国,男,2026-11-10,2026-11-01,男\n";
    let path = write(&desk, "own.csv", text.as_bytes());
    assert_eq!(desk.refused("imports_run", json!({ "path": path })), "columns_missing");
    let headings = ["甲", "乙", "丙", "出院时间", "入院时间", "性别"];
    let fields = [Some("mrn"), Some("name"), None, Some("discharged_at"), Some("admitted_at"), Some("sex")];
    let columns: Vec<Value> = headings
        .iter()
        .zip(fields)
        .map(|(heading, field)| json!({ "heading": heading, "field": field }))
        .collect();
    desk.call("imports_profile_save", json!({ "id": null, "name": "本院", "columns": columns }));
    let report = desk.home.path().join("report.xlsx");
    let result = desk.call("imports_run", json!({ "path": path, "report": report }));
    assert_eq!(
        (&result["created"], &result["rejected"][0]["code"]),
        (&json!(1), &json!("discharge_before_admission"))
    );
    let looked = desk.call("imports_inspect", json!({ "path": path, "sheet": null, "profile": null }));
    assert_eq!(looked["profile"]["name"], "本院");
    let shown = looked.to_string();
    assert!(!shown.contains("李梅") && !shown.contains("王建国"), "names are masked: {shown}");
}

#[test]
fn a_nurse_may_not_import() {
    let desk = Desk::new();
    desk.add("bob", &[aftercare_domain::access::Role::Nurse]);
    desk.login("bob").unwrap();
    assert_eq!(desk.refused("imports_run", json!({ "path": "x" })), "forbidden");
    assert_eq!(desk.refused("imports_undo_run", json!({ "batch": "1" })), "forbidden");
}

prop_compose! {
    /// Stays of a few people, each person's particulars the same in every row.
    fn some_rows()(picks in prop::collection::vec((0..6usize, 1..9u32), 1..14)) -> Vec<String> {
        let mut rows: Vec<String> = picks
            .into_iter()
            .map(|(who, day)| {
                let id = if who % 2 == 0 { "" } else { LI };
                let id = if who == 1 { id } else { "" };
                let leave = if who == 5 && day == 8 { "5" } else { "1" };
                row(&format!("M{who}"), &format!("V{who}{day}"), ["李梅", "王芳", "赵六", "钱七", "孙八", "周九"][who],
                    id, "东街1号", (day, day + 1), leave)
            })
            .collect();
        rows.sort();
        rows.dedup();
        rows
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_rows_does_not_matter_and_a_second_import_changes_nothing(
        (rows, mixed) in some_rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
    ) {
        let (one, other) = (Desk::new(), Desk::new());
        import_text(&one, "a.csv", &format!("{HEAD}{}", rows.concat()));
        let empty = seen(&other);
        let batch = import_text(&other, "b.csv", &format!("{HEAD}{}", mixed.concat()));
        prop_assert_eq!(seen(&one), seen(&other));
        let ops = count(&other, "SELECT count(*) FROM op");
        let again = import_text(&other, "b.csv", &format!("{HEAD}{}", mixed.concat()));
        prop_assert_eq!(&again["unchanged"], &json!(rows.len()));
        prop_assert_eq!(count(&other, "SELECT count(*) FROM op"), ops + 1);
        undo(&other, &again["batch"]);
        undo(&other, &batch["batch"]);
        prop_assert_eq!(seen(&other), empty);
        prop_assert!(work(&other).is_empty());
    }
}

#[test]
fn the_timeline_names_the_import_that_brought_somebody_and_forgets_one_taken_back() {
    let desk = Desk::new();
    let first =
        import_text(&desk, "一.csv", &format!("{HEAD}{}", row("A1", "ZY1", "李明", LI, "", (1, 3), "1")));
    desk.wait(chrono::Duration::minutes(1));
    let second =
        import_text(&desk, "二.csv", &format!("{HEAD}{}", row("A1", "ZY2", "李明", LI, "", (8, 10), "1")));
    let found = desk.call("archive_find", json!({ "query": "A1", "limit": 5 }));
    let timeline = || {
        let id = &found["hits"][0]["patient_id"];
        let page = desk.call("archive_timeline", json!({ "patient_id": id, "before": null, "limit": 50 }));
        let entries = page["entries"].as_array().unwrap().clone();
        entries.into_iter().filter(|entry| entry["kind"] == "import").collect::<Vec<_>>()
    };
    let batches: Vec<Value> = timeline().iter().map(|entry| entry["params"]["batch"].clone()).collect();
    assert_eq!(batches, [second["batch"].clone(), first["batch"].clone()], "the newest first");
    undo(&desk, &second["batch"]);
    assert_eq!(timeline().len(), 1);
}
