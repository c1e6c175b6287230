//! A certificate's fingerprint as people compare it: eight words instead of hexadecimal digits.
//!
//! The first eight bytes of the SHA-256 over the certificate's DER, each a character of the 千字文
//! (in the public domain; the first 256 different ones that are easy to read and of no ill omen), and the same
//! byte as a short English word. Server and desk show the same words.

use sha2::{Digest, Sha256};

/// How many words a fingerprint has: 64 bits, nothing that two certificates share by chance.
pub const WORDS: usize = 8;

const CHARACTERS: &str = include_str!("fingerprint.zh.txt");
const ENGLISH: &str = include_str!("fingerprint.en.txt");

/// A fingerprint in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// Eight characters in two groups of four.
    pub chinese: String,
    /// Eight short words.
    pub english: String,
}

impl Fingerprint {
    /// Of a certificate (DER).
    pub fn of(der: &[u8]) -> Self {
        let hash = Sha256::digest(der);
        let (mut chinese, mut english) = (String::new(), Vec::new());
        for (place, byte) in hash.iter().take(WORDS).enumerate() {
            if place == WORDS / 2 {
                chinese.push(' ');
            }
            chinese.extend(characters().nth(usize::from(*byte)));
            english.extend(ENGLISH.split_whitespace().nth(usize::from(*byte)));
        }
        Self { chinese, english: english.join(" ") }
    }
}

fn characters() -> impl Iterator<Item = char> {
    CHARACTERS.chars().filter(|c| !c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_byte_has_a_word_of_its_own_in_both_languages() {
        assert_eq!(characters().count(), 256);
        assert_eq!(characters().collect::<BTreeSet<_>>().len(), 256);
        assert_eq!(ENGLISH.split_whitespace().count(), 256);
        assert_eq!(ENGLISH.split_whitespace().collect::<BTreeSet<_>>().len(), 256);
    }

    #[test]
    fn another_certificate_has_other_words() {
        let one = Fingerprint::of(b"the hospital's");
        assert_eq!(one, Fingerprint::of(b"the hospital's"));
        assert_ne!(one.chinese, Fingerprint::of(b"a stranger's").chinese);
        assert_ne!(one.english, Fingerprint::of(b"a stranger's").english);
        assert_eq!((one.chinese.chars().count(), one.english.split(' ').count()), (WORDS + 1, WORDS));
    }
}
