//! Names of people: cleaning what extracts hold, masking, and the way a script addresses somebody.

use std::fmt;

use crate::cell_text::{half_width, unguard};
use crate::codes::Sex;
use crate::error_code::ErrorCode;
use crate::pinyin::{dictionary, is_han};

/// Longer than any name; longer texts are another column.
const LONGEST: usize = 100;
/// Under this age a script addresses the parents.
const ADULT_SCRIPT_AGE: u32 = 14;
/// Longer names without a dot are names of other languages in Han characters.
const LONGEST_CHINESE_NAME: usize = 4;
/// The first private character of old GB18030 tables, U+E815, and what Unicode has for each from there on
/// (GB 18030-2005 and 2022, the places FE50–FEA0).
const FIRST_PRIVATE: u32 = 0xE815;
const PRIVATE_CHARACTERS: &str = "⺁𠂇𠂉𠃌⺄㑳㑇⺈⺋龴㖞㘚㘎⺌⺗㥮㤘龵㧏㧟㩳㧐龶龷㭎㱮㳠⺧𡗗龸⺪䁖䅟⺮䌷⺳⺶⺷𢦏䎱\
    䎬⺻䏝䓖䙡䙌龹䜣䜩䝼䞍⻊䥇䥺䥽䦂䦃䦅䦆䦟䦛䦷䦶龺𤇾䲣䲟䲠䲡䱷䲢䴓䴔䴕䴖䴗䴘䴙䶮龻";
/// What people type between the parts of a name.
const DOTS: [char; 10] = ['\u{B7}', '•', '‧', '・', '･', '∙', '⋅', '．', '.', '。'];

/// What is remarkable about a name. The name is kept; whoever uses it decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameFlag {
    /// `王伟(死亡)`: check whether the death is registered.
    DeceasedRemark,
    /// `王伟之女`: a newborn under a parent's name.
    Newborn,
    /// `无名氏`: nobody knows the name.
    Unknown,
    /// `测试`: not a patient.
    Test,
    /// Some other remark in brackets.
    Remark,
    /// A character that the sending system could not write: `?`, `□`, or a private one.
    Damaged,
    /// Stars: the sending system hides names.
    Masked,
}

/// A name, cleaned.
#[derive(Clone, PartialEq, Eq)]
pub struct CleanName {
    /// The name as it is stored, remarks included.
    pub name: String,
    /// The name without remarks, for searching and addressing.
    pub bare: String,
    /// What is remarkable about it.
    pub flags: Vec<NameFlag>,
}

impl CleanName {
    /// Whether it stands for somebody whose name is not known.
    pub fn is_unknown(&self) -> bool {
        self.flags.contains(&NameFlag::Unknown)
    }

    /// Whether somebody tried out the sending system.
    pub fn is_test(&self) -> bool {
        self.flags.contains(&NameFlag::Test)
    }
}

impl fmt::Debug for CleanName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CleanName(*** {:?})", self.flags)
    }
}

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameProblem {
    /// Nothing there.
    #[error("empty")]
    Empty,
    /// More than 100 characters.
    #[error("too long")]
    TooLong,
    /// Only digits or signs: probably another column.
    #[error("no letters")]
    NoLetters,
}

impl NameProblem {
    /// The code for this problem.
    pub fn error_code(self) -> ErrorCode {
        match self {
            Self::Empty => ErrorCode::Required,
            Self::TooLong => ErrorCode::NameTooLong,
            Self::NoLetters => ErrorCode::NameNoLetters,
        }
    }
}

/// Cleans a name: `王　伟` becomes 王伟, every dot between the parts of a name U+00B7, old private characters the
/// ones that Unicode has for them. Cleaning twice changes nothing.
pub fn clean(text: &str) -> Result<CleanName, NameProblem> {
    let mut cleaned = clean_once(text)?;
    // What comes off at the end can bare a remark or a dot; each pass makes the name shorter.
    loop {
        let again = clean_once(&cleaned.name)?;
        if again.name.len() >= cleaned.name.len() {
            return Ok(again);
        }
        cleaned = again;
    }
}

fn clean_once(text: &str) -> Result<CleanName, NameProblem> {
    let text: String = half_width(text).chars().map(from_private).collect();
    let text = unguard(&text).split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return Err(NameProblem::Empty);
    }
    if text.chars().count() > LONGEST {
        return Err(NameProblem::TooLong);
    }
    let (bare, remark) = cut_remark(&text);
    let bare = join_han(&unify_dots(bare));
    let hidden = bare.contains('*');
    if !bare.chars().any(char::is_alphabetic) && !bare.chars().any(is_han) {
        return Err(NameProblem::NoLetters);
    }
    let mut flags = Vec::new();
    if let Some(remark) = remark {
        flags.push(remark_flag(remark));
    }
    if flags != [NameFlag::Newborn] && is_newborn(&bare) {
        flags.push(NameFlag::Newborn);
    }
    if is_unknown_name(&bare) {
        flags.push(NameFlag::Unknown);
    }
    if is_test_name(&bare) {
        flags.push(NameFlag::Test);
    }
    if hidden {
        flags.push(NameFlag::Masked);
    }
    if bare.chars().any(|c| matches!(c, '?' | '□' | '\u{FFFD}' | '\u{E000}'..='\u{F8FF}')) {
        flags.push(NameFlag::Damaged);
    }
    let name = match remark {
        Some(remark) => format!("{bare}({remark})"),
        None => bare.clone(),
    };
    Ok(CleanName { name, bare, flags })
}

/// Hides all but the surname: `王*`, `欧阳**`, `迪丽****`. Names of other languages keep two characters.
pub fn mask(name: &str) -> String {
    let count = name.chars().count();
    if let Some((surname, given)) = split_surname(name) {
        return format!("{surname}{}", "*".repeat(given.chars().count()));
    }
    match count {
        0 => String::new(),
        1 => "*".to_owned(),
        _ if name.starts_with(is_han) => {
            name.chars().take(if count > 2 { 2 } else { 1 }).chain(['*'; 4]).collect()
        }
        _ => name.chars().take(1).chain(['*'; 4]).collect(),
    }
}

/// Surname and given name of a Chinese name; none for names of other languages and for single characters.
pub fn split_surname(name: &str) -> Option<(&str, &str)> {
    if !name.chars().all(is_han) {
        return None;
    }
    if let Some(compound) = dictionary().compound_prefix(name) {
        return Some((compound, &name[compound.len()..]));
    }
    let first = name.chars().next()?;
    let chinese = match name.chars().count() {
        2 | 3 => true,
        LONGEST_CHINESE_NAME => dictionary().is_common_surname(first),
        _ => false,
    };
    chinese.then(|| name.split_at(first.len_utf8()))
}

/// How a script addresses a person in Chinese: surname with 先生 or 女士, the whole name for names of other languages,
/// and 您家孩子 under 14, when the parent is on the phone: it was the child who left the hospital. None when name or
/// sex do not allow it; the script then uses its own words.
pub fn title_zh(bare_name: &str, sex: Sex, age_years: Option<u32>) -> Option<String> {
    if age_years.is_some_and(|age| age < ADULT_SCRIPT_AGE) || is_newborn(bare_name) {
        return Some("您家孩子".to_owned());
    }
    if bare_name.is_empty() || is_unknown_name(bare_name) {
        return None;
    }
    let called = match sex {
        Sex::Male => "先生",
        Sex::Female => "女士",
        Sex::Unknown | Sex::Unstated => return None,
    };
    let address = split_surname(bare_name).map_or(bare_name, |(surname, _)| surname);
    Some(format!("{address}{called}"))
}

/// The character that Unicode has today for a private one of old GB18030 tables.
fn from_private(c: char) -> char {
    let place = u32::from(c).checked_sub(FIRST_PRIVATE).and_then(|place| usize::try_from(place).ok());
    place.and_then(|place| PRIVATE_CHARACTERS.chars().nth(place)).unwrap_or(c)
}

/// `王伟(死亡)`: the name, and what stands in brackets at its end.
fn cut_remark(text: &str) -> (&str, Option<&str>) {
    let cut = text.strip_suffix([')', ']', '】', '）']).and_then(|open| {
        let at = open.find(['(', '[', '【', '（']).filter(|at| *at > 0)?;
        let inner = open[at..].trim_start_matches(['(', '[', '【', '（']).trim();
        (!inner.is_empty()).then_some((open[..at].trim_end(), inner))
    });
    match cut {
        Some((name, remark)) => (name, Some(remark)),
        None => (text, None),
    }
}

fn remark_flag(remark: &str) -> NameFlag {
    let says = |words: &[&str]| words.iter().any(|word| remark.contains(word));
    if says(&["死", "亡", "故", "去世"]) {
        NameFlag::DeceasedRemark
    } else if says(&["新生儿", "婴儿", "之子", "之女"]) {
        NameFlag::Newborn
    } else {
        NameFlag::Remark
    }
}

/// Puts U+00B7 between Han characters where any dot stands, with or without spaces, and drops dots at the ends.
fn unify_dots(text: &str) -> String {
    let mut out = String::new();
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        let run = chars[at..].iter().take_while(|c| DOTS.contains(c) || **c == ' ').count();
        let has_dot = chars[at..at + run].iter().any(|c| DOTS.contains(c));
        let between_han =
            out.chars().next_back().is_some_and(is_han) && chars.get(at + run).copied().is_some_and(is_han);
        if run == 0 {
            out.push(chars[at]);
            at += 1;
        } else if has_dot && between_han {
            out.push('\u{B7}');
            at += run;
        } else {
            out.extend(&chars[at..at + run]);
            at += run;
        }
    }
    let trimmed = out.trim_start_matches(|c: char| c == ' ' || DOTS.contains(&c));
    trimmed.trim_end_matches(|c: char| c == ' ' || (c != '.' && DOTS.contains(&c))).to_owned()
}

/// `王 伟` was spaced to look as wide as names of three characters. Longer names may be parts of another language.
fn join_han(text: &str) -> String {
    let han = text.chars().filter(|c| is_han(*c)).count();
    let only_han = text.chars().all(|c| is_han(c) || c == ' ');
    let newborn = is_newborn(&text.replace(' ', ""));
    if only_han && (han <= LONGEST_CHINESE_NAME || newborn) { text.replace(' ', "") } else { text.to_owned() }
}

/// `王伟之女`, `王伟之长子`, `王伟之子1`: at least two characters for the parent.
fn is_newborn(bare: &str) -> bool {
    let bare = bare.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "一二三甲乙".contains(c));
    let Some((parent, child)) = bare.rsplit_once('之') else { return false };
    let child = child.trim_start_matches(['长', '次', '大', '小', '双']);
    parent.chars().count() >= 2 && matches!(child, "子" | "女" | "婴" | "儿" | "婴儿")
}

fn is_unknown_name(bare: &str) -> bool {
    let unknown = [
        "不详",
        "未知",
        "无名",
        "无",
        "匿名",
        "佚名",
        "某某",
        "三无人员",
        "三无",
        "待查",
        "不明",
        "姓名不详",
    ];
    bare.starts_with("无名氏")
        || bare.starts_with("无名男")
        || bare.starts_with("无名女")
        || unknown.contains(&bare)
        || matches!(bare.to_lowercase().as_str(), "unknown" | "anonymous" | "null")
}

fn is_test_name(bare: &str) -> bool {
    let lower = bare.to_lowercase();
    let latin = lower.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, ' ' | '_' | '-'));
    lower.contains("测试") || matches!(latin, "test" | "ceshi" | "demo" | "test patient" | "testpatient")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Rare {
        name: String,
        chars: usize,
    }

    fn cleaned(text: &str) -> String {
        clean(text).unwrap().name
    }

    fn flags(text: &str) -> Vec<NameFlag> {
        clean(text).unwrap().flags
    }

    #[test]
    fn rare_names_stay_what_they_are() {
        let names: Vec<Rare> =
            serde_json::from_str(include_str!("../../../tests/fixtures/rules/rare_names.json")).unwrap();
        for name in names {
            let clean = clean(&name.name).unwrap();
            assert_eq!((&clean.name, clean.name.chars().count()), (&name.name, name.chars));
            assert!(clean.flags.is_empty(), "{:?}", clean.flags);
        }
    }

    #[test]
    fn what_exports_add_comes_off() {
        for text in ["王 伟", "王　　伟", " 王伟 ", "王\u{200B}伟", "\u{FEFF}王伟", "'王伟", "王\t伟"]
        {
            assert_eq!(cleaned(text), "王伟");
        }
        assert_eq!(cleaned("欧 阳 修"), "欧阳修");
        assert_eq!(cleaned("Ｍａｒｉａ  Garcia"), "Maria Garcia");
        assert_eq!(cleaned("John F. Kennedy Jr."), "John F. Kennedy Jr.");
    }

    #[test]
    fn every_dot_between_parts_becomes_the_same() {
        for dot in ["·", "•", "．", "‧", "・", ".", " · ", "･", "。"] {
            assert_eq!(cleaned(&format!("迪丽热巴{dot}迪力木拉提")), "迪丽热巴·迪力木拉提", "{dot}");
        }
        assert_eq!(cleaned("王伟·"), "王伟");
    }

    #[test]
    fn private_characters_of_old_tables_become_unicodes() {
        assert_eq!(PRIVATE_CHARACTERS.chars().count(), 80);
        assert_eq!(cleaned("王\u{E863}"), "王䶮");
        assert_eq!(cleaned("王\u{E81E}"), "王\u{9FB4}");
        assert_eq!(cleaned("王\u{E864}"), "王\u{9FBB}");
        assert_eq!(flags("王\u{E001}"), [NameFlag::Damaged]);
    }

    #[test]
    fn remarks_and_newborn_are_kept_and_flagged() {
        let dead = clean("王伟（死亡）").unwrap();
        assert_eq!((dead.name.as_str(), dead.bare.as_str()), ("王伟(死亡)", "王伟"));
        assert_eq!(dead.flags, [NameFlag::DeceasedRemark]);
        assert_eq!(flags("王伟(已故)"), [NameFlag::DeceasedRemark]);
        assert_eq!(flags("王伟(2床)"), [NameFlag::Remark]);
        for name in ["李娟之女", "李娟之子", "李娟之长子", "李娟之子2", "李娟之婴", "欧阳娟之次女"]
        {
            assert_eq!(flags(name), [NameFlag::Newborn], "{name}");
        }
        for name in ["王之子", "张之女婿", "王献之"] {
            assert_eq!(flags(name), [], "{name}");
        }
    }

    #[test]
    fn names_of_nobody_are_flagged() {
        for name in ["无名氏", "不详", "无名女1", "匿名", "Unknown"] {
            assert!(clean(name).unwrap().is_unknown(), "{name}");
        }
        for name in ["测试", "测试患者1", "test", "Test 01", "王测试"] {
            assert!(clean(name).unwrap().is_test(), "{name}");
        }
        for name in ["吴名", "Tester Johnson", "王无"] {
            assert_eq!(flags(name), [], "{name}");
        }
        assert_eq!(flags("王*"), [NameFlag::Masked]);
        assert_eq!(flags("王?"), [NameFlag::Damaged]);
        assert_eq!(clean(" ").unwrap_err(), NameProblem::Empty);
        assert_eq!(clean("13800138000").unwrap_err(), NameProblem::NoLetters);
        assert_eq!(clean(&"王".repeat(101)).unwrap_err(), NameProblem::TooLong);
    }

    #[test]
    fn masks_keep_the_surname() {
        for (name, masked) in [
            ("王伟", "王*"),
            ("王小明", "王**"),
            ("欧阳修远", "欧阳**"),
            ("迪丽热巴·迪力木拉提", "迪丽****"),
            ("阿依古丽", "阿依****"),
            ("Maria", "M****"),
            ("王", "*"),
            ("", ""),
        ] {
            assert_eq!(mask(name), masked);
        }
    }

    #[test]
    fn scripts_address_people_as_people_do() {
        let title = |name: &str, sex, age| title_zh(name, sex, age);
        assert_eq!(title("王伟", Sex::Male, Some(45)).as_deref(), Some("王先生"));
        assert_eq!(title("欧阳娜娜", Sex::Female, None).as_deref(), Some("欧阳女士"));
        assert_eq!(title("阿依古丽", Sex::Female, Some(30)).as_deref(), Some("阿依古丽女士"));
        assert_eq!(
            title("迪丽热巴·迪力木拉提", Sex::Female, Some(30)).as_deref(),
            Some("迪丽热巴·迪力木拉提女士")
        );
        assert_eq!(title("王伟", Sex::Male, Some(13)).as_deref(), Some("您家孩子"));
        assert_eq!(title("王伟", Sex::Male, Some(14)).as_deref(), Some("王先生"));
        assert_eq!(title("李娟之女", Sex::Female, None).as_deref(), Some("您家孩子"));
        assert_eq!(title("王伟", Sex::Unknown, Some(45)), None);
        assert_eq!(title("无名氏", Sex::Male, Some(45)), None);
    }

    proptest! {
        #[test]
        fn cleaning_twice_changes_nothing(text in "[王伟欧阳之子女·•. ()（死亡）a-cA-C　\u{E863}𠮷*?1]{0,14}") {
            if let Ok(once) = clean(&text) {
                prop_assert_eq!(&clean(&once.name).unwrap(), &once);
            }
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,30}") {
            let _ = (clean(&text), mask(&text), title_zh(&text, Sex::Male, None));
        }

        #[test]
        fn a_mask_never_shows_the_given_name(name in "[王李欧阳迪丽伟芳娜]{2,8}") {
            prop_assert!(mask(&name).contains('*'));
            prop_assert!(mask(&name).chars().filter(|c| *c != '*').count() < name.chars().count());
        }
    }
}
