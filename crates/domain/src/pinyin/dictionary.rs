//! Readings of names, from `assets/content/dictionaries/name_readings.json`.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde::Deserialize;

/// Readings by character, and by surname of several characters.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Dictionary {
    common_surnames: String,
    surnames: HashMap<char, Vec<String>>,
    compound: HashMap<String, Vec<String>>,
    given: HashMap<char, Vec<String>>,
}

/// The dictionary that ships. A test holds that it is readable.
pub(crate) fn dictionary() -> &'static Dictionary {
    static DICTIONARY: OnceLock<Dictionary> = OnceLock::new();
    DICTIONARY.get_or_init(|| {
        let text = include_str!("../../../../assets/content/dictionaries/name_readings.json");
        serde_json::from_str(text).unwrap_or_default()
    })
}

impl Dictionary {
    /// Readings of a surname of one character: as a surname first, then as people misread it.
    pub(crate) fn surname(&self, c: char) -> Vec<String> {
        let mut readings = self.surnames.get(&c).cloned().unwrap_or_default();
        for other in self.given(c) {
            if !readings.contains(&other) {
                readings.push(other);
            }
        }
        readings
    }

    /// Readings in use today of a character anywhere else; empty when the character is not known.
    pub(crate) fn given(&self, c: char) -> Vec<String> {
        match self.given.get(&c) {
            Some(readings) => readings.clone(),
            None => first_reading(c).into_iter().collect(),
        }
    }

    /// Readings of a surname of several characters, each a list of syllables.
    pub(crate) fn compound(&self, surname: &str) -> Option<Vec<Vec<String>>> {
        let readings = self.compound.get(surname)?;
        Some(readings.iter().map(|reading| reading.split(' ').map(str::to_owned).collect()).collect())
    }

    /// Whether many people have this surname of one character.
    pub(crate) fn is_common_surname(&self, c: char) -> bool {
        self.common_surnames.contains(c)
    }

    /// The surname of several characters that the name begins with, when something is left after it.
    pub(crate) fn compound_prefix<'a>(&self, name: &'a str) -> Option<&'a str> {
        let ends: Vec<usize> = name.char_indices().map(|(at, _)| at).chain([name.len()]).collect();
        (2..=4).rev().filter(|count| ends.len() > count + 1).find_map(|count| {
            let prefix = &name[..*ends.get(count)?];
            self.compound.contains_key(prefix).then_some(prefix)
        })
    }
}

/// The first reading in the Unicode data; its other readings are mostly archaic, so they are not offered.
fn first_reading(c: char) -> Option<String> {
    use pinyin::ToPinyin;
    let plain = c.to_pinyin()?.plain();
    plain.chars().all(|letter| letter.is_ascii_lowercase() || letter == 'ü').then(|| plain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_dictionary_is_readable() {
        let dictionary = dictionary();
        assert!(
            dictionary.surnames.len() > 100 && dictionary.compound.len() > 80 && dictionary.given.len() > 150
        );
        for (surname, readings) in &dictionary.compound {
            for reading in readings {
                assert_eq!(reading.split(' ').count(), surname.chars().count(), "{surname}");
            }
        }
    }

    #[test]
    fn a_compound_surname_needs_a_given_name_after_it() {
        assert_eq!(dictionary().compound_prefix("欧阳修"), Some("欧阳"));
        assert_eq!(dictionary().compound_prefix("欧阳"), None);
        assert_eq!(dictionary().compound_prefix("爱新觉罗溥仪"), Some("爱新觉罗"));
        assert_eq!(dictionary().compound_prefix("王伟"), None);
    }
}
