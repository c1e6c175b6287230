#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

const BEIJING: Option<&str> = Some("010");

#[derive(Deserialize)]
struct Vector {
    input: String,
    libphonenumber_valid: bool,
    #[serde(rename = "type")]
    kind: String,
    e164: Option<String>,
    ext: Option<String>,
}

fn word(kind: PhoneKind) -> &'static str {
    match kind {
        PhoneKind::Mobile => "MOBILE",
        PhoneKind::Fixed => "FIXED",
        PhoneKind::Hotline | PhoneKind::Service | PhoneKind::Iot | PhoneKind::Foreign => "OTHER",
    }
}

#[test]
fn every_number_that_libphonenumber_reads_is_read_alike() {
    let vectors: Vec<Vector> =
        serde_json::from_str(include_str!("../../../../tests/fixtures/rules/phone_normalise_sample.json"))
            .unwrap();
    assert!(vectors.iter().filter(|v| v.libphonenumber_valid).count() > 10);
    for vector in vectors.iter().filter(|v| v.libphonenumber_valid) {
        let phone = parse(&vector.input, None).unwrap();
        assert_eq!(word(phone.kind), vector.kind, "{}", vector.input);
        assert_eq!(phone.e164, vector.e164, "{}", vector.input);
        assert_eq!(phone.extension, vector.ext, "{}", vector.input);
    }
}

/// The two inputs that libphonenumber gives up on are ordinary in hospital extracts.
#[test]
fn local_habits_are_understood() {
    assert_eq!(parse("086-13800138000", None).unwrap().digits, "13800138000");
    let desk = parse("010-62345678-8012", None).unwrap();
    assert_eq!((desk.digits.as_str(), desk.extension.as_deref()), ("01062345678", Some("8012")));
    assert_eq!(desk.e164.as_deref(), Some("+861062345678"));
}

#[test]
fn the_published_examples_of_each_kind_are_read() {
    let kinds: Vec<(String, PhoneKind)> =
        include_str!("../../../../tests/fixtures/rules/phone_86_examples.csv")
            .lines()
            .skip(1)
            .map(|line| {
                let mut cells = line.split(';').map(|cell| cell.trim().trim_matches('"').to_owned());
                let kind = cells.nth(1).unwrap();
                let number = cells.next().unwrap();
                (kind, parse(&number, None).unwrap().kind)
            })
            .collect();
    let kind = |name: &str| kinds.iter().find(|(kind, _)| kind == name).map(|(_, kind)| *kind);
    assert_eq!(kind("FIXED_LINE"), Some(PhoneKind::Fixed));
    assert_eq!(kind("MOBILE"), Some(PhoneKind::Mobile));
    assert_eq!(kind("TOLL_FREE"), Some(PhoneKind::Hotline));
    assert_eq!(kind("SHARED_COST"), Some(PhoneKind::Hotline));
    assert_eq!(kind("PREMIUM_RATE"), Some(PhoneKind::Service));
}

#[test]
fn every_prefix_of_the_ministrys_table_is_a_mobile_number() {
    let table: serde_json::Value =
        serde_json::from_str(include_str!("../../../../tests/fixtures/rules/mobile_prefixes_2023.json"))
            .unwrap();
    let carriers = table["carriers"].as_object().unwrap();
    let prefixes = carriers.values().flat_map(|list| list.as_array().unwrap()).map(|p| p.as_str().unwrap());
    let mut seen = 0;
    for prefix in prefixes {
        let head: String = prefix.chars().take_while(char::is_ascii_digit).collect();
        assert_eq!(parse(&format!("{head:0<11}"), None).unwrap().kind, PhoneKind::Mobile, "{prefix}");
        seen += 1;
    }
    assert!(seen > 40);
}

#[test]
fn landlines_keep_their_area_code() {
    let digits = |text: &str, area| parse(text, area).map(|phone| phone.digits);
    assert_eq!(digits("(010)62345678", None).unwrap(), "01062345678");
    assert_eq!(digits("（0755）2345 6789", None).unwrap(), "075523456789");
    assert_eq!(digits("0755 1234567", None).unwrap(), "07551234567");
    assert_eq!(digits("+86 (0)10 6234 5678", None).unwrap(), "01062345678");
    assert_eq!(digits("86-10-62345678", None).unwrap(), "01062345678");
    assert_eq!(digits("62345678", BEIJING).unwrap(), "01062345678");
    assert_eq!(digits("62345678", Some("10")).unwrap(), "01062345678");
    assert_eq!(digits("62345678", None), Err(PhoneProblem::NeedsAreaCode));
    assert_eq!(digits("6234567", BEIJING), Err(PhoneProblem::TooShort));
    assert_eq!(digits("2345678", Some("0551")).unwrap(), "05512345678");
}

#[test]
fn extensions_are_kept_apart() {
    for text in [
        "010-62345678转8012",
        "010-62345678 分机：8012",
        "(010)62345678-8012",
        "010 62345678 ext.8012",
        "01062345678#8012",
        "010-62345678(8012)",
    ] {
        let phone = parse(text, None).unwrap();
        assert_eq!(
            (phone.digits.as_str(), phone.extension.as_deref()),
            ("01062345678", Some("8012")),
            "{text}"
        );
    }
    let short = parse("0551-2345678-1", None).unwrap();
    assert_eq!((short.digits.as_str(), short.extension.as_deref()), ("05512345678", Some("1")));
}

#[test]
fn numbers_that_nobody_answers_are_told() {
    for text in ["95588", "10086", "12345", "120", "110", "114", "9555512", "16812345"] {
        let phone = parse(text, BEIJING).unwrap();
        assert_eq!((phone.kind, phone.e164), (PhoneKind::Service, None), "{text}");
        assert!(!phone.kind.is_callable());
    }
    assert_eq!(parse("1440012345678", None).unwrap().kind, PhoneKind::Iot);
    assert_eq!(parse("400-810-8888", None).unwrap().digits, "4008108888");
    assert_eq!(parse("+852 9123 4567", None).unwrap().e164.as_deref(), Some("+85291234567"));
}

#[test]
fn each_refusal_says_why() {
    let problem = |text: &str| parse(text, BEIJING).err();
    assert_eq!(problem("1380013800"), Some(PhoneProblem::TooShort));
    assert_eq!(problem("138001380001"), Some(PhoneProblem::TooLong));
    assert_eq!(problem("1.38001E+10"), Some(PhoneProblem::PrecisionLost));
    assert_eq!(problem("不详"), Some(PhoneProblem::Characters));
    assert_eq!(problem(""), Some(PhoneProblem::Empty));
    assert_eq!(problem("00000000000"), Some(PhoneProblem::Placeholder));
    assert_eq!(problem("12800138000"), Some(PhoneProblem::NotAssigned));
    assert_eq!(problem("8012"), Some(PhoneProblem::TooShort));
}

#[test]
fn what_a_spreadsheet_drops_is_put_back_and_said() {
    let restored = from_number(1_062_345_678.0, None).unwrap();
    assert_eq!((restored.digits.as_str(), restored.repair), ("01062345678", Some(PhoneRepair::LeadingZero)));
    assert_eq!(parse("13800138000.0", None).unwrap().digits, "13800138000");
    assert_eq!(parse("=\"13800138000\"", None).unwrap().repair, None);
}

fn read(text: &str) -> Vec<Result<(String, Option<&'static str>), PhoneProblem>> {
    split(text, BEIJING).into_iter().map(|found| found.map(|e| (e.phone.digits, e.relation))).collect()
}

fn ok(digits: &str, relation: Option<&'static str>) -> Result<(String, Option<&'static str>), PhoneProblem> {
    Ok((digits.to_owned(), relation))
}

#[test]
fn two_numbers_in_a_cell_become_two() {
    let both = vec![ok("13800138000", None), ok("13900139000", None)];
    for text in [
        "13800138000/13900139000",
        "13800138000、13900139000",
        "13800138000，13900139000",
        "13800138000；13900139000",
        "13800138000 13900139000",
        "138 0013 8000 139 0013 9000",
        "138-0013-8000 139-0013-9000",
        "13800138000\n13900139000",
        "1380013800013900139000",
        "13800138000-13900139000",
        "１３８００１３８０００／１３９００１３９０００",
    ] {
        assert_eq!(read(text), both, "{text}");
    }
    assert_eq!(read("010-62345678 13800138000"), vec![ok("01062345678", None), ok("13800138000", None)]);
    assert_eq!(read("138 0013 8000"), vec![ok("13800138000", None)]);
    assert_eq!(read("13800138000/13800138000"), vec![ok("13800138000", None)]);
}

#[test]
fn words_beside_a_number_say_whose_it_is() {
    assert_eq!(read("13800138000(儿子)"), vec![ok("13800138000", Some("2"))]);
    assert_eq!(
        read("13800138000(儿子)/13900139000（老伴、妻子）"),
        vec![ok("13800138000", Some("2")), ok("13900139000", Some("1"))]
    );
    assert_eq!(
        read("女儿:13800138000；母亲：13900139000"),
        vec![ok("13800138000", Some("3")), ok("13900139000", Some("5"))]
    );
    assert_eq!(
        read("儿子13800138000女儿13900139000"),
        vec![ok("13800138000", Some("2")), ok("13900139000", Some("3"))]
    );
    assert_eq!(
        read("13800138000儿子13900139000女儿"),
        vec![ok("13800138000", Some("2")), ok("13900139000", Some("3"))]
    );
    let named = split("张三13800138000(女)", None).remove(0).unwrap();
    assert_eq!((named.note.as_deref(), named.relation), (Some("张三 女"), Some("3")));
    assert_eq!(
        split("010-62345678转8012(单位)", None)[0].as_ref().unwrap().phone.extension.as_deref(),
        Some("8012")
    );
}

#[test]
fn digits_of_a_remark_are_no_number() {
    assert_eq!(read("3床13800138000"), vec![ok("13800138000", None)]);
    assert_eq!(read("联系人2:13800138000"), vec![ok("13800138000", None)]);
    assert_eq!(read("电话：010-62345678 分机：8012"), vec![ok("01062345678", None)]);
    assert_eq!(read("12"), vec![Err(PhoneProblem::TooShort)]);
}

#[test]
fn a_bad_piece_does_not_hide_its_good_neighbour() {
    assert_eq!(read("13800138000/1390013900"), vec![ok("13800138000", None), Err(PhoneProblem::TooShort)]);
    assert_eq!(read("1.38001E+10"), vec![Err(PhoneProblem::PrecisionLost)]);
    assert_eq!(read("13800138000.0"), vec![ok("13800138000", None)]);
    assert_eq!(
        read("13900139000/1.38001E+10"),
        vec![ok("13900139000", None), Err(PhoneProblem::PrecisionLost)]
    );
    assert_eq!(read("无"), vec![]);
    assert_eq!(read(" - "), vec![]);
}

#[test]
fn nothing_of_a_number_is_printed_and_masks_hide_the_middle() {
    assert!(!format!("{:?}", split("13800138000(儿子)", None)).contains("138"));
    assert_eq!(mask("13800138000"), "138****8000");
    assert_eq!(mask("01062345678"), "010****5678");
    assert_eq!(mask("05512345678"), "0551****5678");
    assert_eq!(mask("95588"), "*****");
}

prop_compose! {
    fn any_number()(kind in 0..4u8, a in 10_000_000..99_999_999u32, second in 3..=9u8, local in 2..=8u8) -> String {
        match kind {
            0 => format!("1{second}{a:09}"),
            1 => format!("010{local}{:07}", a % 10_000_000),
            2 => format!("0{second}51{local}{:06}", a % 1_000_000),
            _ => format!("400{:07}", a % 10_000_000),
        }
    }
}

proptest! {
    #[test]
    fn what_was_shown_reads_back_the_same(number in any_number()) {
        let once = parse(&number, None).unwrap();
        prop_assert_eq!(&parse(&once.digits, None).unwrap(), &once);
        prop_assert_eq!(&parse(&display(&once), None).unwrap(), &once);
    }

    #[test]
    fn splitting_what_was_split_changes_nothing(first in any_number(), second in any_number(),
        gap in prop::sample::select(vec!["/", "、", " ", "\n", ";"]))
    {
        prop_assume!(first != second);
        let once: Vec<String> =
            split(&format!("{first}{gap}{second}"), None).into_iter().map(|e| e.unwrap().phone.digits).collect();
        let again: Vec<String> =
            split(&once.join("/"), None).into_iter().map(|e| e.unwrap().phone.digits).collect();
        prop_assert_eq!(&once, &again);
        prop_assert_eq!(once, vec![first, second]);
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,40}") {
        let _ = split(&text, BEIJING);
        let _ = parse(&text, None).map(|phone| display(&phone));
    }
}
