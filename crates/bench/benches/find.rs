//! Finding one of a million patients as a person types, for each kind of query, also with many hits.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::sync::Arc;

use aftercare_bench::desk;
use aftercare_bench::hospital::{Discharge, Hospital};
use aftercare_bench::measure::{self, Figure, millis, p99, timed};
use aftercare_core::App;
use aftercare_core::app::jobs::Progress;
use aftercare_core::archive::rebuild;
use aftercare_core::reports::dashboard;
use aftercare_core::testing::raw_connection;
use aftercare_domain::pinyin::search_terms;
use chrono::NaiveDate;
use rusqlite::{Connection, params};
use serde_json::json;
use uuid::Uuid;

const PATIENTS: usize = 1_000_000;
/// What is searched for is taken from every so many-eth patient.
const EVERY: usize = 4_000;
const NAME: &str = "archive: find";

fn main() {
    if !measure::wanted(NAME) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let app = desk::open(&folder.path().join("desk"));
    let sample = fill(&app);
    for (kind, queries) in kinds(&sample) {
        measure_kind(&app, kind, &queries);
    }
}

fn id(kind: u128, number: usize) -> Uuid {
    Uuid::from_u128((kind << 64) | number as u128)
}

/// A million patients of three years; those to be searched for come back.
fn fill(app: &Arc<App>) -> Vec<Discharge> {
    let mut connection = raw_connection(app);
    connection.execute_batch("PRAGMA cache_size = -400000").unwrap();
    let transaction = connection.transaction().unwrap();
    let site: Uuid = transaction.query_row("SELECT site_id FROM desk", [], |row| row.get(0)).unwrap();
    let last = NaiveDate::from_ymd_opt(2026, 11, 15).unwrap();
    let mut sample = Vec::new();
    for (n, d) in Hospital::new(3, last, 1_095).take(PATIENTS).enumerate() {
        let patient = id(1, n);
        run(
            &transaction,
            "INSERT INTO patient (id, mrn, name, sex, birth_on, id_number, address, site_id)
             VALUES (?1, ?2, ?3, '1', ?4, ?5, ?6, ?7)",
            params![patient, d.mrn, d.name, d.birth_on.to_string(), d.id_number, d.address, site],
        );
        for (rank, number) in [&d.phone, &d.contact_phone].into_iter().enumerate() {
            run(
                &transaction,
                "INSERT INTO phone (id, patient_id, number, rank) VALUES (?1, ?2, ?3, ?4)",
                params![id(5 + rank as u128, n), patient, number, rank as i64],
            );
        }
        let on = d.discharged_at.date().to_string();
        run(
            &transaction,
            "INSERT INTO encounter (id, patient_id, visit_no, department, discharged_at, discharged_on)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![id(2, n), patient, d.visit_no, d.department, format!("{on} 10:00"), on],
        );
        if n % EVERY == 0 {
            sample.push(d);
        }
    }
    let (time, indexed) = timed(|| rebuild(&transaction, &Progress::unwatched()).unwrap());
    dashboard::rebuild(&transaction).unwrap();
    transaction.commit().unwrap();
    eprintln!("{indexed} patients indexed in {:.0} ms", millis(time));
    sample
}

fn run(connection: &Connection, sql: &str, values: &[&dyn rusqlite::ToSql]) {
    connection.prepare_cached(sql).unwrap().execute(values).unwrap();
}

/// The beginnings of a text as it is typed, up to `most` characters.
fn typed(text: &str, most: usize) -> Vec<String> {
    (1..=text.chars().count().min(most)).map(|count| text.chars().take(count).collect()).collect()
}

fn kinds(sample: &[Discharge]) -> Vec<(&'static str, Vec<String>)> {
    let each = |cut: &dyn Fn(&Discharge) -> Vec<String>| sample.iter().flat_map(cut).collect::<Vec<String>>();
    let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<String>>();
    let nobody = own(&["龘龘", "qqqq", "00000000000", "王伟 00000"]);
    let many = own(&[
        "王", "李", "王伟", "w", "wang", "zhangw", "li", "ww", "138", "139", "1390", "1990", "000", "王w",
    ]);
    vec![
        ("many hits", (0..20).flat_map(|_| many.clone()).collect()),
        ("name as typed", each(&|d| typed(&d.name, 4))),
        ("given name", each(&|d| vec![d.name.chars().skip(1).collect()])),
        (
            "pinyin as typed",
            each(&|d| search_terms(&d.name).pinyin_full.first().map_or(vec![], |p| typed(p, 20))),
        ),
        ("initials", each(&|d| search_terms(&d.name).initials.first().map_or(vec![], |p| typed(p, 4)))),
        ("half pinyin", each(&|d| half(&d.name))),
        ("phone as typed", each(&|d| typed(&d.phone, 11).split_off(2))),
        ("phone's last four", each(&|d| vec![d.phone[7..].to_owned()])),
        ("phone's middle", each(&|d| vec![d.contact_phone[3..8].to_owned()])),
        ("ID number's end", each(&|d| vec![d.id_number[14..].to_owned(), d.id_number[12..].to_owned()])),
        ("ID number as typed", each(&|d| typed(&d.id_number, 18).split_off(2))),
        ("record number", each(&|d| typed(&d.mrn, 8).split_off(2))),
        ("admission number", each(&|d| typed(&d.visit_no, 12).split_off(2))),
        ("name and phone", each(&|d| vec![format!("{} {}", d.name, &d.phone[7..])])),
        ("nobody", (0..50).flat_map(|_| nobody.clone()).collect()),
    ]
}

/// The surname's pinyin and the initials of the rest: `wangxm`.
fn half(name: &str) -> Vec<String> {
    let surname: String = name.chars().take(1).collect();
    let (head, all) = (search_terms(&surname), search_terms(name));
    match (head.pinyin_full.first(), all.initials.first()) {
        (Some(head), Some(initials)) => vec![format!("{head}{}", &initials[1..])],
        _ => Vec::new(),
    }
}

fn measure_kind(app: &Arc<App>, kind: &str, queries: &[String]) {
    let mut samples: Vec<(f64, &str)> = queries
        .iter()
        .map(|query| {
            let request = json!({ "query": query, "limit": 20 });
            (millis(timed(|| desk::call(app, "archive_find", request)).0), query.as_str())
        })
        .collect();
    samples.sort_by(|a, b| b.0.total_cmp(&a.0));
    let slowest: Vec<String> =
        samples.iter().take(4).map(|(time, query)| format!("{query} {time:.1}")).collect();
    eprintln!("{kind}: {} queries, slowest {}", samples.len(), slowest.join(", "));
    let mut times: Vec<f64> = samples.iter().map(|(time, _)| *time).collect();
    let name = format!("{NAME}, {kind}, 1,000,000 patients, p99");
    measure::print(&Figure { name: &name, ours: p99(&mut times), base: 16.0, goal: 1.0, unit: "ms" });
}
