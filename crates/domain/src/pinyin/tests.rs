#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

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

#[test]
fn surnames_with_a_reading_of_their_own_are_found_by_it() {
    let names: Vec<Polyphonic> =
        serde_json::from_str(include_str!("../../../../tests/fixtures/rules/polyphonic_surnames.json"))
            .unwrap();
    assert!(names.len() > 20);
    for name in names {
        let terms = search_terms(&name.name);
        assert!(terms.pinyin_full.contains(&name.pinyin.replace(' ', "")), "{} {terms:?}", name.name);
        assert!(terms.initials.contains(&name.initials), "{} {terms:?}", name.name);
    }
}

#[test]
fn they_are_found_by_the_common_reading_too() {
    for (name, typed) in [
        ("单雄信", "danxiongxin"),
        ("曾国强", "cengguoqiang"),
        ("仇英杰", "chouyingjie"),
        ("解晓东", "jiexiaodong"),
        ("查良镛", "chaliangyong"),
        ("尉迟恭", "weichigong"),
        ("乐嘉琪", "lejiaqi"),
        ("翟天临", "ditianlin"),
        ("种师道", "chongshidao"),
        ("万俟卨", "wansixie"),
        ("区志明", "quzhiming"),
    ] {
        let terms = search_terms(name);
        assert!(terms.pinyin_full.iter().any(|full| full == typed), "{name} {terms:?}");
    }
}

#[test]
fn rare_characters_are_kept_and_read_where_anybody_can() {
    let names: Vec<Rare> =
        serde_json::from_str(include_str!("../../../../tests/fixtures/rules/rare_names.json")).unwrap();
    for name in &names {
        let terms = search_terms(&name.name);
        assert_eq!(terms.han, name.name.replace('\u{B7}', ""));
        assert!(!terms.pinyin_full.is_empty() && !terms.initials.is_empty());
    }
    assert_eq!(search_terms("王䶮").pinyin_full, ["wangyan"]);
    assert_eq!(search_terms("刘㛃").initials, ["lj"]);
    // A private character has no reading: it keeps its place in the Han text and is passed over in pinyin.
    let private = search_terms("王\u{F8F0}伟");
    assert_eq!(
        (private.han.as_str(), private.pinyin_full.as_slice()),
        ("王\u{F8F0}伟", &["wangwei".to_owned()][..])
    );
    assert_eq!(syllables("王\u{F8F0}伟").len(), 3);
}

#[test]
fn umlaut_is_found_as_v_and_as_u() {
    assert_eq!(search_terms("吕律").pinyin_full, ["lvlv", "lulu"]);
    assert_eq!(search_terms("吕布").initials, ["lb"]);
}

#[test]
fn names_of_other_languages_have_no_chinese_surname() {
    let terms = search_terms("阿依古丽·买买提");
    assert_eq!(terms.han, "阿依古丽买买提");
    assert!(terms.pinyin_full.contains(&"ayigulimaimaiti".to_owned()), "{terms:?}");
    let latin = search_terms("Maria del Carmen");
    assert_eq!((latin.han.as_str(), latin.pinyin_full.as_slice()), ("", &["mariadelcarmen".to_owned()][..]));
    assert_eq!(latin.initials, ["mdc"]);
    assert_eq!(search_terms(""), SearchTerms::default());
}

#[test]
fn many_readings_are_capped_and_the_likely_ones_stay() {
    let terms = search_terms("单乐行");
    assert!(readings("单乐行").len() <= MAX_READINGS);
    for typed in ["shanlexing", "danlexing", "shanyuexing", "shanlehang"] {
        assert!(terms.pinyin_full.contains(&typed.to_owned()), "{typed} {terms:?}");
    }
}

#[test]
fn typed_text_is_told_apart() {
    let letters = |joined: &str, words: &[&str]| Query::Letters {
        joined: joined.to_owned(),
        words: words.iter().map(|word| (*word).to_owned()).collect(),
    };
    let digits = |text: &str| Query::Digits(text.to_owned());
    let han = |text: &str| Query::Han(text.to_owned());
    assert_eq!(classify("王伟"), [han("王伟")]);
    assert_eq!(classify("王 伟"), [han("王伟")]);
    assert_eq!(classify("迪丽热巴·迪"), [han("迪丽热巴迪")]);
    assert_eq!(classify("𠮷"), [han("𠮷")]);
    assert_eq!(classify("WangWei"), [letters("wangwei", &["wangwei"])]);
    assert_eq!(classify("wang wei"), [letters("wangwei", &["wang", "wei"])]);
    assert_eq!(classify("lü"), [letters("lv", &["lv"])]);
    assert_eq!(classify("138 0013"), [digits("1380013")]);
    assert_eq!(classify("１３８-0013"), [digits("1380013")]);
    assert_eq!(classify("+86 138"), [digits("138")]);
    assert_eq!(classify("00212200"), [digits("00212200")]);
    assert_eq!(classify("002x")[0], Query::IdTail("002X".to_owned()));
    assert_eq!(classify("1231 002x")[0], Query::IdTail("1231002X".to_owned()));
    assert_eq!(classify("zy2622000"), [Query::Code("ZY2622000".to_owned())]);
    assert_eq!(
        classify("王w"),
        [Query::Mixed(vec![Part::Han("王".to_owned()), Part::Letters("w".to_owned())])]
    );
    assert_eq!(classify("王伟 8000"), [Query::All(vec![han("王伟"), digits("8000")])]);
    assert_eq!(classify("王伟8000"), [Query::All(vec![han("王伟"), digits("8000")])]);
    assert_eq!(
        classify("wang wei 80 00"),
        [Query::All(vec![letters("wangwei", &["wang", "wei"]), digits("8000")])]
    );
    assert_eq!(classify(" "), []);
    assert_eq!(classify("·"), []);
}

#[test]
fn a_name_fits_what_was_typed_for_it() {
    let fits = |name: &str, typed: &str| classify(typed).iter().any(|query| matches(name, query));
    for typed in ["王", "伟", "王伟", "王w", "王we", "w伟", "wang伟", "wangw", "ww", "wangwei", "wei"]
    {
        assert!(fits("王伟", typed), "{typed}");
    }
    for typed in ["王l", "王伟w", "wangl", "李", "wl"] {
        assert!(!fits("王伟", typed), "{typed}");
    }
    assert!(fits("单雄信", "单xx") && fits("单雄信", "danx") && fits("单雄信", "sxx"));
    assert!(fits("王\u{F8F0}伟", "wangwei"));
    assert!(!fits("王伟", "8000"));
}

proptest! {
    #[test]
    fn any_name_is_found_by_all_its_own_terms(name in "[王李张单曾尉迟吕乐行绿欧阳伟芳𠮷㛃䶮]{1,5}") {
        let terms = search_terms(&name);
        prop_assert!(terms.pinyin_full.len() <= 2 * MAX_READINGS);
        for typed in terms.pinyin_full.iter().chain(&terms.initials).chain([&terms.han]) {
            prop_assert!(classify(typed).iter().any(|query| matches(&name, query)), "{}", typed);
        }
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,30}") {
        let _ = (classify(&text), search_terms(&text), syllables(&text));
    }
}
