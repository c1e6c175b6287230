use std::collections::BTreeMap;

use aftercare_domain::same_person::Suspicion;
use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Sketch, add, names, record};
use crate::archive::note_suspicion;
use crate::testing::Desk;

/// What people can see, table by table. Merges themselves and times of settling are left out.
fn visible(connection: &Connection) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for (table, columns) in [
        (
            "patient",
            "id, name, mrn, address, hobbies, deceased, deceased_on, contact_optout, vip, merged_into, removed",
        ),
        ("phone", "id, patient_id, number, rank, state, removed"),
        ("encounter", "id, patient_id, visit_no, removed"),
        ("consent", "id, patient_id, granted"),
        ("note", "id, patient_id, body"),
        ("duplicate", "id, first_id, second_id, state, settled_at"),
        ("archive_indexed", "num, search_row"),
        ("task", "id, patient_id, status"),
    ] {
        let sql = format!("SELECT json_array({}) FROM {table} ORDER BY 1", hexed(columns));
        let mut statement = connection.prepare(&sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        all.insert(table.to_owned(), rows.collect::<Result<Vec<_>, _>>().unwrap());
    }
    all
}

/// Ids as text: JSON takes no blobs.
fn hexed(columns: &str) -> String {
    let quoted: Vec<String> = columns.split(", ").map(|column| format!("quote({column})")).collect();
    quoted.join(", ")
}

fn look(desk: &Desk) -> BTreeMap<String, Vec<String>> {
    desk.ctx().read(|c| Ok(visible(c))).unwrap()
}

fn suspect(desk: &Desk, a: Uuid, b: Uuid) {
    let ctx = desk.ctx();
    ctx.write(|w| note_suspicion(w, ctx.new_id(), a, b, &[Suspicion::NameBirth])).unwrap();
}

fn merge(desk: &Desk, kept: Uuid, merged: Uuid, take: &[&str]) -> Value {
    desk.call("archive_merge", json!({ "kept_id": kept, "merged_id": merged, "take": take }))
}

#[test]
fn two_records_become_one_found_by_both_numbers_with_one_timeline() {
    let desk = Desk::new();
    let kept = add(
        &desk,
        &Sketch {
            name: "王小明",
            mrn: "00000001",
            phones: &[("13800138000", "0")],
            stays: &[("ZY1", "2026-10-01")],
            ..Sketch::default()
        },
    );
    let other = add(
        &desk,
        &Sketch {
            name: "王晓明",
            mrn: "00000002",
            address: "青山县东街12号",
            phones: &[("13800138000", "0"), ("13900139000", "3")],
            stays: &[("ZY2", "2026-11-01")],
            ..Sketch::default()
        },
    );
    suspect(&desk, kept, other);
    desk.call("archive_note", json!({ "patient_id": other, "body": "听力不好" }));
    let pairs = desk
        .call("archive_duplicates", json!({ "state": "open", "patient_id": kept, "skip": 0, "limit": 5 }));
    assert_eq!(pairs["pairs"][0]["reasons"], json!(["name_birth"]));
    assert_eq!(pairs["pairs"][0]["second"]["fields"]["mrn"], "00000002");

    desk.wait(chrono::Duration::minutes(1));
    merge(&desk, kept, other, &["name"]);
    let one = record(&desk, kept);
    assert_eq!(one["fields"]["name"], "王晓明", "the chosen name");
    assert_eq!(one["fields"]["mrn"], "00000001", "the kept number");
    assert_eq!(one["fields"]["address"], "青山县东****", "what was empty is filled");
    assert_eq!((one["phones"].as_array().unwrap().len(), &one["encounter_count"]), (2, &json!(2)));
    assert_eq!(one["merged"][0]["mrn"], "00000002");
    assert_eq!(one["open_duplicates"], 0);
    for query in ["00000001", "00000002", "王晓明", "13900139000", "ZY2"] {
        let found = desk.call("archive_find", json!({ "query": query, "limit": 5 }));
        assert_eq!(found["hits"].as_array().unwrap().len(), 1, "{query}");
        assert_eq!(found["hits"][0]["patient_id"], json!(kept), "{query} leads to the kept record");
    }
    assert_eq!(record(&desk, other)["id"], json!(kept), "the old record opens as the kept one");
    let timeline = desk.call("archive_timeline", json!({ "patient_id": kept, "before": null, "limit": 20 }));
    let kinds: Vec<&str> =
        timeline["entries"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["merge", "note", "encounter", "encounter"]);
    let again = json!({ "kept_id": kept, "merged_id": other, "take": [] });
    assert_eq!(desk.refused("archive_merge", again), "conflict");
}

#[test]
fn parting_gives_back_what_came_and_keeps_what_was_edited_since() {
    let desk = Desk::new();
    let kept = add(&desk, &Sketch { name: "王小明", mrn: "1", ..Sketch::default() });
    let other = add(
        &desk,
        &Sketch {
            name: "王晓明",
            mrn: "2",
            address: "青山县东街12号",
            stays: &[("ZY2", "2026-11-01")],
            ..Sketch::default()
        },
    );
    let merged = merge(&desk, kept, other, &["name"]);
    let change = json!([{ "field": "address", "was": "青山县东****", "value": "青山县西街99号" }]);
    desk.call("archive_save", json!({ "id": kept, "changes": change }));
    desk.call("archive_unmerge", json!({ "merge_id": merged["merge_id"] }));
    let one = record(&desk, kept);
    assert_eq!(one["fields"]["name"], "王小明", "the name goes back");
    assert_eq!(one["fields"]["address"], "青山县西****", "the later edit stays");
    assert_eq!(one["encounter_count"], 0);
    assert_eq!(record(&desk, other)["encounter_count"], 1);
    assert_eq!(names(&desk, "王晓明"), ["王晓明"]);
    assert_eq!(desk.refused("archive_unmerge", json!({ "merge_id": merged["merge_id"] })), "conflict");
}

#[test]
fn merges_are_taken_back_in_the_order_they_were_made() {
    let desk = Desk::new();
    let ids: Vec<Uuid> = ["甲一", "甲二", "甲三"]
        .iter()
        .map(|name| add(&desk, &Sketch { name, ..Sketch::default() }))
        .collect();
    let before = look(&desk);
    let first = merge(&desk, ids[1], ids[2], &[]);
    let second = merge(&desk, ids[0], ids[1], &[]);
    assert_eq!(record(&desk, ids[2])["id"], json!(ids[0]), "through both merges");
    assert_eq!(desk.refused("archive_unmerge", json!({ "merge_id": first["merge_id"] })), "conflict");
    for merged in [second, first] {
        desk.call("archive_unmerge", json!({ "merge_id": merged["merge_id"] }));
    }
    assert_eq!(look(&desk), before);
}

#[test]
fn two_people_told_apart_are_not_asked_about_again() {
    let desk = Desk::new();
    let a = add(&desk, &Sketch { name: "王伟", ..Sketch::default() });
    let b = add(&desk, &Sketch { name: "王伟", ..Sketch::default() });
    suspect(&desk, a, b);
    let open = || {
        desk.call("archive_duplicates", json!({ "state": "open", "patient_id": null, "skip": 0, "limit": 5 }))
    };
    let pair = open()["pairs"][0]["id"].clone();
    desk.call("archive_not_same", json!({ "duplicate_id": pair, "different": true }));
    suspect(&desk, b, a);
    assert_eq!(open()["count"], 0);
    desk.call("archive_not_same", json!({ "duplicate_id": pair, "different": false }));
    assert_eq!(open()["count"], 1, "taken back");
}

#[test]
fn the_dead_and_those_who_refuse_stay_so_in_the_kept_record() {
    let desk = Desk::new();
    let kept = add(&desk, &Sketch { name: "王小明", ..Sketch::default() });
    let dead = add(&desk, &Sketch { name: "王小明", ..Sketch::default() });
    desk.call("archive_death", json!({ "patient_id": dead, "deceased_on": "2026-11-01", "how": "hospital" }));
    desk.call("archive_optout", json!({ "patient_id": dead, "level": "all", "reason": null }));
    let before = look(&desk);
    let merged = merge(&desk, kept, dead, &[]);
    let one = record(&desk, kept);
    assert_eq!((&one["deceased"], &one["contact_optout"]), (&json!(true), &json!("all")));
    desk.call("archive_unmerge", json!({ "merge_id": merged["merge_id"] }));
    assert_eq!(look(&desk), before);
}

#[derive(Debug, Clone)]
struct Somebody {
    name: &'static str,
    mrn: Option<u8>,
    address: Option<&'static str>,
    phones: Vec<usize>,
    stays: Vec<u8>,
    optout: usize,
    vip: bool,
}

const NUMBERS: [&str; 4] = ["13800138000", "13900139000", "01062345678", "15012345678"];

prop_compose! {
    fn somebody()(
        name in prop::sample::select(vec!["王伟", "单雄信", "欧阳修", "刘㛃"]),
        mrn in prop::option::of(0..3u8),
        address in prop::option::of(prop::sample::select(vec!["青山县东街12号", "白水县一村2组"])),
        phones in prop::sample::subsequence(vec![0, 1, 2, 3], 0..=4),
        stays in prop::collection::btree_set(0..4u8, 0..3),
        optout in 0..3usize,
        vip: bool,
    ) -> Somebody {
        Somebody { name, mrn, address, phones, stays: stays.into_iter().collect(), optout, vip }
    }
}

fn put(desk: &Desk, person: &Somebody) -> Uuid {
    let mrn = person.mrn.map(|mrn| format!("0000{mrn}")).unwrap_or_default();
    let phones: Vec<(&str, &str)> = person.phones.iter().map(|at| (NUMBERS[*at], "0")).collect();
    let stays: Vec<(String, String)> =
        person.stays.iter().map(|at| (format!("ZY{at}"), format!("2026-0{}-01", at + 1))).collect();
    let stays: Vec<(&str, &str)> = stays.iter().map(|(no, on)| (no.as_str(), on.as_str())).collect();
    let sketch = Sketch {
        name: person.name,
        mrn: &mrn,
        address: person.address.unwrap_or_default(),
        phones: &phones,
        stays: &stays,
        ..Sketch::default()
    };
    let id = add(desk, &sketch);
    let level = ["none", "phone", "all"][person.optout];
    desk.call("archive_optout", json!({ "patient_id": id, "level": level, "reason": "x" }));
    if person.vip {
        let change = json!([{ "field": "vip", "was": "0", "value": "1" }]);
        desk.call("archive_save", json!({ "id": id, "changes": change }));
    }
    id
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn merging_and_parting_leaves_everything_as_it_was(a in somebody(), b in somebody(), take_name: bool) {
        let desk = Desk::new();
        let (a, b) = (put(&desk, &a), put(&desk, &b));
        suspect(&desk, a, b);
        let before = look(&desk);
        let take: &[&str] = if take_name { &["name", "address"] } else { &[] };
        let merged = merge(&desk, a, b, take);
        let kept = record(&desk, a);
        let together = kept["phones"].as_array().unwrap().iter().map(|p| p["number"].as_str().unwrap());
        let mut numbers: Vec<&str> = together.collect();
        numbers.sort_unstable();
        let all = numbers.len();
        numbers.dedup();
        prop_assert_eq!(numbers.len(), all, "no number twice");
        desk.call("archive_unmerge", json!({ "merge_id": merged["merge_id"] }));
        prop_assert_eq!(look(&desk), before);
    }
}
