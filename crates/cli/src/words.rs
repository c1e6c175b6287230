//! The command line's own words.

use aftercare_core::words::{Language, Locale, Words};

static CLI: Locale = Locale::new(
    include_str!("../../../assets/locales/zh-CN/cli.json"),
    include_str!("../../../assets/locales/en/cli.json"),
);

/// Them in a language.
pub fn words(language: Language) -> &'static Words {
    CLI.of(language)
}

#[cfg(test)]
mod tests {
    use super::{CLI, Language};

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(CLI.keys(Language::Chinese), CLI.keys(Language::English));
    }
}
