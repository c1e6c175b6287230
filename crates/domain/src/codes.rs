//! Code tables of the field: sex, relation, way of leaving, way of paying and so on.
//!
//! The tables ship in `assets/content/dictionaries/code_tables.json` with the standard each comes from.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::cell_text::{half_width, unguard};

/// Sex by GB/T 2261.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// Not known: 0.
    Unknown,
    /// 1.
    Male,
    /// 2.
    Female,
    /// Not stated: 9.
    Unstated,
}

impl Sex {
    /// The code of GB/T 2261.1.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unknown => "0",
            Self::Male => "1",
            Self::Female => "2",
            Self::Unstated => "9",
        }
    }

    /// Reads what a cell says: a code, 男, 女性, F. None when it says nothing of it.
    pub fn from_text(text: &str) -> Option<Self> {
        code_of("sex", text).and_then(Self::from_code)
    }

    /// Reads the code of GB/T 2261.1.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Unknown, Self::Male, Self::Female, Self::Unstated].into_iter().find(|sex| sex.code() == code)
    }
}

/// One code with its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeItem {
    /// The code as the standard writes it.
    pub code: String,
    /// The name people know.
    pub name: String,
}

/// One code table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeTable {
    /// Where the codes come from.
    pub standard: String,
    /// Codes in the order of the standard.
    pub items: Vec<CodeItem>,
    /// Other words that hospitals use, and the code each means.
    #[serde(default)]
    pub aliases: HashMap<String, String>,
    /// Codes by their comparable names and aliases; an import asks for millions.
    #[serde(skip)]
    by_name: HashMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
struct CodeTables {
    empty_markers: Vec<String>,
    tables: HashMap<String, CodeTable>,
}

fn shipped() -> &'static CodeTables {
    static SHIPPED: OnceLock<CodeTables> = OnceLock::new();
    SHIPPED.get_or_init(|| {
        let text = include_str!("../../../assets/content/dictionaries/code_tables.json");
        let mut shipped: CodeTables = serde_json::from_str(text).unwrap_or_default();
        for table in shipped.tables.values_mut() {
            let aliases = table.aliases.iter().map(|(alias, code)| (comparable(alias), code.clone()));
            let names = table.items.iter().map(|item| (comparable(&item.name), item.code.clone()));
            table.by_name = aliases.chain(names).collect();
        }
        for marker in &mut shipped.empty_markers {
            *marker = half_width(marker);
        }
        shipped
    })
}

/// A table by its name: `sex`, `leave_mode`, `relation`, `pay_mode`, `admit_route`, `id_type`, `marital_gbt`,
/// `marital_frontpage`, `occupation_frontpage`, `hl7_patient_class`.
pub fn table(name: &str) -> Option<&'static CodeTable> {
    shipped().tables.get(name)
}

/// The code that a cell means in a table: the code itself with or without leading zeros, the name, another word for
/// it, or code and name together (`1 医嘱离院`). None when the table has nothing like it.
pub fn code_of(table_name: &str, text: &str) -> Option<&'static str> {
    table(table_name)?.code_of(text)
}

/// The name of a code in a table.
pub fn name_of(table_name: &str, code: &str) -> Option<&'static str> {
    let items = &table(table_name)?.items;
    items.iter().find(|item| item.code == code).map(|item| item.name.as_str())
}

impl CodeTable {
    /// See [`code_of`].
    pub fn code_of(&self, text: &str) -> Option<&str> {
        let text = half_width(text);
        let text = unguard(&text);
        let text = text.strip_suffix(".0").unwrap_or(text).trim();
        if text.is_empty() {
            return None;
        }
        self.by_code(text).or_else(|| self.by_name(text)).or_else(|| {
            let digits = text.find(|c: char| !c.is_ascii_digit()).filter(|at| *at > 0)?;
            let name = text[digits..].trim_start_matches(|c: char| !c.is_alphanumeric());
            let code = self.by_code(&text[..digits])?;
            (self.by_name(name)? == code).then_some(code)
        })
    }

    fn by_code(&self, text: &str) -> Option<&str> {
        let bare = without_zeros(text);
        let same =
            |code: &str| code.eq_ignore_ascii_case(text) || (is_number(text) && without_zeros(code) == bare);
        self.items.iter().map(|item| item.code.as_str()).find(|code| same(code))
    }

    fn by_name(&self, text: &str) -> Option<&str> {
        self.by_name.get(&comparable(text)).map(String::as_str)
    }
}

/// Whether a text cell says that nothing is known: `-`, `无`, `不详`, `NULL`, `0`. Not for amounts, where 0 is a value.
pub fn is_empty_marker(text: &str) -> bool {
    let text = half_width(text);
    let text = unguard(&text);
    text.is_empty() || shipped().empty_markers.iter().any(|marker| marker.eq_ignore_ascii_case(text))
}

/// Names are compared without brackets, spaces and case, which hospitals vary freely.
fn comparable(text: &str) -> String {
    half_width(text).chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_uppercase()).collect()
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// `01` and `1` are one code; `0` stays.
fn without_zeros(code: &str) -> &str {
    let bare = code.trim_start_matches('0');
    if bare.is_empty() && !code.is_empty() { "0" } else { bare }
}

/// Words for relatives and what they mean in the table `relation` (GB/T 4761). Longer words stand before the
/// shorter ones they contain.
const RELATION_WORDS: [(&str, &str); 55] = [
    ("儿媳", "8"),
    ("女婿", "8"),
    ("外甥", "8"),
    ("侄子", "8"),
    ("侄女", "8"),
    ("朋友", "8"),
    ("同事", "8"),
    ("邻居", "8"),
    ("护工", "8"),
    ("保姆", "8"),
    ("亲戚", "8"),
    ("亲属", "8"),
    ("其他", "8"),
    ("监护人", "8"),
    ("岳父", "8"),
    ("岳母", "8"),
    ("公公", "8"),
    ("婆婆", "8"),
    ("孙子", "4"),
    ("孙女", "4"),
    ("外孙", "4"),
    ("祖父", "6"),
    ("祖母", "6"),
    ("爷爷", "6"),
    ("奶奶", "6"),
    ("外公", "6"),
    ("外婆", "6"),
    ("姥姥", "6"),
    ("姥爷", "6"),
    ("配偶", "1"),
    ("丈夫", "1"),
    ("妻子", "1"),
    ("老公", "1"),
    ("老婆", "1"),
    ("爱人", "1"),
    ("媳妇", "1"),
    ("父亲", "5"),
    ("母亲", "5"),
    ("父母", "5"),
    ("爸", "5"),
    ("妈", "5"),
    ("兄弟", "7"),
    ("哥哥", "7"),
    ("弟弟", "7"),
    ("姐姐", "7"),
    ("妹妹", "7"),
    ("姐妹", "7"),
    ("儿子", "2"),
    ("女儿", "3"),
    ("本人", "0"),
    ("自己", "0"),
    ("户主", "0"),
    ("son", "2"),
    ("daughter", "3"),
    ("wife", "1"),
];

/// Words of one character, too common in names to be looked for inside longer words.
const SHORT_RELATION_WORDS: [(char, &str); 11] = [
    ('子', "2"),
    ('女', "3"),
    ('儿', "2"),
    ('夫', "1"),
    ('妻', "1"),
    ('父', "5"),
    ('母', "5"),
    ('哥', "7"),
    ('弟', "7"),
    ('姐', "7"),
    ('妹', "7"),
];

/// Whose number it is, guessed from the words beside it: `张三(女儿)` is a daughter's. A code of the table `relation`.
pub fn relation_hint(words: &str) -> Option<&'static str> {
    let lower = words.to_lowercase();
    let known = RELATION_WORDS.iter().find(|(word, _)| lower.contains(word)).map(|(_, code)| *code);
    known.or_else(|| {
        words.split(|c: char| !c.is_alphabetic()).filter(|word| word.chars().count() <= 2).find_map(|word| {
            let last = word.chars().last()?;
            SHORT_RELATION_WORDS.iter().find(|(short, _)| *short == last).map(|(_, code)| *code)
        })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cell_means_a_code_however_it_is_written() {
        for text in [
            "1",
            "01",
            "１",
            "医嘱离院",
            " 医嘱离院 ",
            "1 医嘱离院",
            "1-医嘱离院",
            "1.医嘱离院",
            "医嘱出院",
            "1.0",
        ] {
            assert_eq!(code_of("leave_mode", text), Some("1"), "{text}");
        }
        assert_eq!(code_of("leave_mode", "死亡"), Some("5"));
        assert_eq!(code_of("id_type", "1"), Some("01"));
        assert_eq!(code_of("pay_mode", "01"), Some("1"));
        assert_eq!(code_of("occupation_frontpage", "退(离)休人员"), Some("80"));
        assert_eq!(code_of("occupation_frontpage", "退（离）休人员"), Some("80"));
        assert_eq!(code_of("hl7_patient_class", "i"), Some("I"));
        assert_eq!(Sex::from_text("女性"), Some(Sex::Female));
        assert_eq!(Sex::from_text("m"), Some(Sex::Male));
        assert_eq!(Sex::from_text("0"), Some(Sex::Unknown));
    }

    #[test]
    fn what_no_table_knows_is_left_open() {
        for text in ["", "7", "回家", "1 死亡", "10"] {
            assert_eq!(code_of("leave_mode", text), None, "{text}");
        }
        assert_eq!(code_of("no_such_table", "1"), None);
    }

    #[test]
    fn every_alias_leads_to_a_code_of_its_table() {
        assert!(shipped().tables.len() >= 10);
        for (name, table) in &shipped().tables {
            for (alias, code) in &table.aliases {
                assert_eq!(table.code_of(alias), Some(code.as_str()), "{name} {alias}");
                assert!(name_of(name, code).is_some(), "{name} {alias}");
            }
            for item in &table.items {
                assert_eq!(code_of(name, &item.code), Some(item.code.as_str()));
                assert_eq!(code_of(name, &item.name), Some(item.code.as_str()));
            }
        }
    }

    #[test]
    fn nothing_known_is_said_in_many_ways() {
        for text in ["", " ", "-", "--", "—", "无", "不详", "未知", "/", "NULL", "null", "N/A", "－"]
        {
            assert!(is_empty_marker(text), "{text}");
        }
        assert!(!is_empty_marker("无锡"));
    }

    #[test]
    fn words_for_relatives_are_understood() {
        for (words, code) in [
            ("儿子", "2"),
            ("大儿子", "2"),
            ("张三(女)", "3"),
            ("患者母亲", "5"),
            ("其父", "5"),
            ("孙女", "4"),
            ("老婆", "1"),
            ("二姐", "7"),
            ("儿媳妇", "8"),
            ("本人", "0"),
            ("奶奶", "6"),
        ] {
            assert_eq!(relation_hint(words), Some(code), "{words}");
        }
        for words in ["", "家", "单位", "孙丽", "李女英"] {
            assert_eq!(relation_hint(words), None, "{words}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,20}") {
            let _ = (code_of("leave_mode", &text), is_empty_marker(&text), relation_hint(&text));
        }
    }
}
