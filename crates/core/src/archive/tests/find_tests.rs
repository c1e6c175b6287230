use aftercare_domain::access::Role;
use serde::Deserialize;
use serde_json::json;

use super::{Sketch, add, names};
use crate::app::jobs::Progress;
use crate::archive::{Indexer, Searchable, rebuild};
use crate::change_log::{PATIENT, PHONE};
use crate::testing::Desk;

fn wang<'a>() -> Sketch<'a> {
    Sketch {
        name: "王小明",
        mrn: "00012345",
        id_number: "11010519491231002X",
        phones: &[("13800138000", "0"), ("01062345678", "3")],
        stays: &[("ZY2622001", "2026-11-01")],
        ..Sketch::default()
    }
}

#[test]
fn alice_finds_a_patient_by_every_piece_of_what_she_may_know() {
    let desk = Desk::new();
    add(&desk, &wang());
    add(
        &desk,
        &Sketch { name: "李龘", mrn: "00099999", phones: &[("15912346666", "0")], ..Sketch::default() },
    );
    for query in [
        "王小明",
        "王",
        "小明",
        "小",
        "明",
        "王 小 明",
        "w",
        "wang",
        "wangx",
        "wangxiaom",
        "wangxiaoming",
        "wxm",
        "wx",
        "xm",
        "xiaoming",
        "wangxm",
        "wxiaom",
        "王xm",
        "王xiaom",
        "138",
        "8000",
        "0013800",
        "13800138000",
        "138 0013 8000",
        "+8613800138000",
        "6234",
        "010-6234",
        "02x",
        "002X",
        "1949",
        "11010519491231002X",
        "00012345",
        "12345",
        "000123",
        "ZY2622001",
        "zy2622",
        "王小明 8000",
        "wxm 138",
        "王小明 12345",
    ] {
        assert_eq!(names(&desk, query), ["王小明"], "{query}");
    }
    for query in ["王大明", "wangd", "139", "8002", "ZY9", "王小明 8002", "李 12345"] {
        assert!(names(&desk, query).is_empty(), "{query}");
    }
}

#[test]
fn a_surname_of_two_readings_is_found_both_ways_and_rare_characters_are_found() {
    #[derive(Deserialize)]
    struct Polyphonic {
        name: String,
        pinyin: String,
        initials: String,
    }
    #[derive(Deserialize)]
    struct Rare {
        name: String,
    }
    let desk = Desk::new();
    let text = include_str!("../../../../../tests/fixtures/rules/polyphonic_surnames.json");
    let polyphonic: Vec<Polyphonic> = serde_json::from_str(text).unwrap();
    let text = include_str!("../../../../../tests/fixtures/rules/rare_names.json");
    let rare: Vec<Rare> = serde_json::from_str(text).unwrap();
    for name in polyphonic.iter().map(|p| &p.name).chain(rare.iter().map(|r| &r.name)) {
        add(&desk, &Sketch { name, ..Sketch::default() });
    }
    add(&desk, &Sketch { name: "单雄信", ..Sketch::default() });
    for person in &polyphonic {
        for query in [person.pinyin.clone(), person.pinyin.replace(' ', ""), person.initials.clone()] {
            assert!(names(&desk, &query).contains(&person.name), "{} by {query}", person.name);
        }
    }
    for person in &rare {
        assert!(names(&desk, &person.name).contains(&person.name), "{}", person.name);
        let last: String = person.name.chars().last().into_iter().collect();
        assert!(names(&desk, &last).contains(&person.name), "{} by {last}", person.name);
    }
    for query in ["shan", "dan", "danxx", "shanxiongxin", "dxx"] {
        assert!(names(&desk, query).contains(&"单雄信".to_owned()), "{query}");
    }
}

#[test]
fn exact_hits_come_first_then_the_most_recent() {
    let desk = Desk::new();
    for (name, on) in
        [("王伟强", "2026-11-10"), ("王伟", "2026-01-05"), ("张王伟", "2026-11-12"), ("王伟", "2026-03-01")]
    {
        add(&desk, &Sketch { name, stays: &[("1", on)], ..Sketch::default() });
    }
    assert_eq!(names(&desk, "王伟"), ["王伟", "王伟", "张王伟", "王伟强"]);
    let found = desk.call("archive_find", json!({ "query": "王伟", "limit": 2 }));
    assert_eq!(found["hits"][0]["recent_on"], "2026-03-01");
    assert_eq!(found["hits"][0]["exact"], true);
    assert_eq!(found["more"], true);
    assert_eq!(names(&desk, "wang")[0], "王伟强", "surnames before given names");
    assert_eq!(names(&desk, ""), ["张王伟", "王伟强", "王伟", "王伟"], "nothing typed: the last discharged");
}

#[test]
fn a_long_beginning_of_an_id_number_gives_the_most_recent_first_and_a_piece_of_it_is_found_too() {
    let desk = Desk::new();
    let born =
        [("王小明", "11010519491231002X", "2026-03-01"), ("赵大海", "110105194912080041", "2026-11-01")];
    for (name, id_number, on) in born {
        add(&desk, &Sketch { name, id_number, stays: &[("1", on)], ..Sketch::default() });
    }
    for query in ["110105194912", "11010519491", "110105 1949 12"] {
        assert_eq!(names(&desk, query), ["赵大海", "王小明"], "{query}");
    }
    for query in ["1101051949123", "110105194912310", "11010519491231002", "101051949123", "0519491231002"] {
        assert_eq!(names(&desk, query), ["王小明"], "{query}");
    }
    assert!(names(&desk, "110105194911").is_empty());
}

#[test]
fn a_family_phone_finds_the_whole_family() {
    let desk = Desk::new();
    let phones = &[("13912345678", "0")][..];
    for name in ["赵父", "赵母", "赵小宝"] {
        add(&desk, &Sketch { name, phones, ..Sketch::default() });
    }
    assert_eq!(names(&desk, "13912345678").len(), 3);
    assert_eq!(names(&desk, "5678").len(), 3);
    assert_eq!(names(&desk, "小宝 5678"), ["赵小宝"]);
}

#[test]
fn what_is_shown_is_masked() {
    let desk = Desk::new();
    add(&desk, &wang());
    let found = desk.call("archive_find", json!({ "query": "王小明", "limit": 5 }));
    let hit = &found["hits"][0];
    assert_eq!(
        (hit["phone"].as_str(), hit["id_number"].as_str()),
        (Some("138****8000"), Some("110105********002X"))
    );
    assert_eq!(hit["matched"], "name");
    desk.add("dora", &[Role::Auditor]);
    desk.login("dora").unwrap();
    assert_eq!(desk.refused("archive_find", json!({ "query": "王", "limit": 5 })), "forbidden");
}

#[test]
fn somebody_removed_leaves_the_index_and_a_rebuild_gives_the_same_answers() {
    let desk = Desk::new();
    let gone = add(&desk, &wang());
    add(&desk, &Sketch { name: "王小明", mrn: "2", ..wang() });
    let ctx = desk.ctx();
    ctx.write(|w| {
        w.update(&PATIENT, gone, &[("removed", true.into())])?;
        super::index_patient(w.connection(), gone)
    })
    .unwrap();
    assert_eq!(names(&desk, "王小明").len(), 1);
    assert!(names(&desk, "12345").is_empty());
    let indexed = ctx.write(|w| rebuild(w.connection(), &Progress::unwatched())).unwrap();
    assert_eq!(indexed, 1);
    for query in ["王小明", "wxm", "8000", "2"] {
        assert_eq!(names(&desk, query), ["王小明"], "{query}");
    }
}

#[test]
fn an_import_indexes_in_bulk_what_it_has_at_hand() {
    let desk = Desk::new();
    let ctx = desk.ctx();
    let (one, two) = (ctx.new_id(), ctx.new_id());
    ctx.write(|w| {
        let mut indexer = Indexer::default();
        for (id, name, on) in [(one, "甲一", "2026-11-02"), (two, "乙二", "2026-11-01")] {
            w.create(&PATIENT, id, &[("name", name.into()), ("site_id", id.into())])?;
            w.create(&PHONE, ctx.new_id(), &[("patient_id", id.into()), ("number", "13800138000".into())])?;
            let last_on = on.parse().ok();
            let patient = Searchable { name, id_number: None, phones: &["13800138000"], last_on };
            indexer.add_new(w.connection(), id, &patient)?;
        }
        w.update(&PATIENT, two, &[("name", "乙三".into())])?;
        indexer.add_changed(two);
        indexer.finish(w.connection())
    })
    .unwrap();
    assert_eq!(names(&desk, "甲一"), ["甲一"]);
    assert_eq!(names(&desk, "乙三"), ["乙三"]);
    assert!(names(&desk, "乙二").is_empty());
    assert_eq!(names(&desk, "8000").len(), 2);
}
