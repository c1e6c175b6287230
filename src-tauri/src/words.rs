//! The few words the shell itself shows: the window's title, and what is said when the page cannot speak.

use aftercare_core::words::{Language, Locale};

static SHELL: Locale = Locale::new(
    include_str!("../../assets/locales/zh-CN/shell.json"),
    include_str!("../../assets/locales/en/shell.json"),
);

/// The window's title. It is the product's name and the same in each language.
pub const TITLE: &str = "随访台";

/// The words of `key` in the system's language, `{name}` placeholders filled from `params`.
pub fn words(key: &str, params: &[(&str, &str)]) -> String {
    SHELL.of(Language::of_system()).filled(key, params)
}

#[cfg(test)]
mod tests {
    use super::{Language, SHELL};

    #[test]
    fn both_languages_say_the_same_things() {
        let keys = SHELL.keys(Language::Chinese);
        assert_eq!(keys, SHELL.keys(Language::English));
        assert!(keys.contains(&"start_failed".to_owned()));
    }
}
