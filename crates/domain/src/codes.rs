//! Code tables of the field: sex, relation, way of leaving, way of paying and so on.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

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

    /// Reads the code of GB/T 2261.1.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Unknown, Self::Male, Self::Female, Self::Unstated].into_iter().find(|sex| sex.code() == code)
    }
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
