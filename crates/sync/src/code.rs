//! The one-time enrolment code, as an administrator reads it out and a nurse types it.
//!
//! 25 characters in five groups of five: a number that names the code (3), its secret (7: 35 bits
//! for ten minutes and five attempts), the start of the fingerprint of the server's authority
//! (14: 70 bits), and a check character. The desk compares the fingerprint before it says
//! anything, so that the code goes to nobody but the server that made it.

use sha2::{Digest, Sha256};

/// Characters of the number.
pub const NUMBER_LEN: usize = 3;
/// Characters of the secret.
pub const SECRET_LEN: usize = 7;
/// Characters of the fingerprint.
pub const AUTHORITY_LEN: usize = 14;
const LEN: usize = NUMBER_LEN + SECRET_LEN + AUTHORITY_LEN + 1;

/// Crockford's base 32: no I, L, O and U, so that nothing is read as something else.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A code, read.
#[derive(Clone, PartialEq, Eq)]
pub struct EnrolCode {
    /// Which code; not secret.
    pub number: String,
    /// What only its maker and the desk know.
    pub secret: String,
    /// How the authority's fingerprint begins.
    pub authority: String,
}

impl std::fmt::Debug for EnrolCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnrolCode").field("number", &self.number).finish_non_exhaustive()
    }
}

/// Why typed characters are no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Too few or too many characters, or one that codes do not have.
    #[error("not the form of a code")]
    Form,
    /// A character was mistyped or two changed places.
    #[error("the check character does not fit")]
    Check,
}

impl EnrolCode {
    /// A new code from ten random bytes for the authority of this certificate (DER).
    pub fn new(random: [u8; NUMBER_LEN + SECRET_LEN], authority_der: &[u8]) -> Self {
        let text: String = random.iter().map(|byte| letter(usize::from(*byte))).collect();
        Self {
            number: text[..NUMBER_LEN].to_owned(),
            secret: text[NUMBER_LEN..].to_owned(),
            authority: authority_mark(authority_der),
        }
    }

    /// Reads what somebody typed: small and full-width letters, spaces and dashes are fine, and
    /// so are O for 0 and I or L for 1.
    ///
    /// # Errors
    /// When it is not of a code's form, or mistyped.
    pub fn parse(typed: &str) -> Result<Self, CodeError> {
        let mut text = String::with_capacity(LEN);
        for c in typed.chars() {
            match plain(c) {
                Some(c) => text.push(c),
                None if c.is_whitespace() || matches!(c, '-' | '－' | '—' | '–' | '_' | '·') => {}
                None => return Err(CodeError::Form),
            }
        }
        if text.len() != LEN {
            return Err(CodeError::Form);
        }
        let (body, check) = text.split_at(LEN - 1);
        if !check.starts_with(check_letter(body)) {
            return Err(CodeError::Check);
        }
        Ok(Self {
            number: body[..NUMBER_LEN].to_owned(),
            secret: body[NUMBER_LEN..NUMBER_LEN + SECRET_LEN].to_owned(),
            authority: body[NUMBER_LEN + SECRET_LEN..].to_owned(),
        })
    }

    /// The code as it is shown: five groups of five.
    pub fn print(&self) -> String {
        let mut text = format!("{}{}{}", self.number, self.secret, self.authority);
        text.push(check_letter(&text));
        let mut grouped = String::with_capacity(LEN + 4);
        for (index, c) in text.chars().enumerate() {
            if index > 0 && index % 5 == 0 {
                grouped.push('-');
            }
            grouped.push(c);
        }
        grouped
    }

    /// Whether the certificate (DER) that a server shows is the one the code was made for.
    pub fn fits(&self, authority_der: &[u8]) -> bool {
        self.authority == authority_mark(authority_der)
    }
}

/// How the fingerprint (SHA-256 over the certificate's DER) begins, in a code's letters.
pub fn authority_mark(authority_der: &[u8]) -> String {
    let hash = Sha256::digest(authority_der);
    let mut bits = hash.iter().flat_map(|byte| (0..8).rev().map(move |bit| usize::from(byte >> bit & 1)));
    (0..AUTHORITY_LEN)
        .map(|_| letter((0..5).fold(0, |value, _| value << 1 | bits.next().unwrap_or(0))))
        .collect()
}

fn letter(value: usize) -> char {
    char::from(ALPHABET[value % ALPHABET.len()])
}

fn plain(c: char) -> Option<char> {
    let half = match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0)?,
        other => other,
    };
    let c = match half.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    (c.is_ascii() && ALPHABET.contains(&(c as u8))).then_some(c)
}

/// Weighted by place, modulo the prime 31: finds one wrong character and two exchanged ones.
fn check_letter(body: &str) -> char {
    let value = |c: u8| ALPHABET.iter().position(|letter| *letter == c).unwrap_or(0);
    letter(body.bytes().enumerate().map(|(place, c)| (place + 1) * value(c)).sum::<usize>() % 31)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_printed_code_is_read_back(random: [u8; 10], der in prop::collection::vec(any::<u8>(), 1..64)) {
            let code = EnrolCode::new(random, &der);
            prop_assert_eq!(EnrolCode::parse(&code.print()).unwrap(), code.clone());
            let sloppy = code.print().to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
            prop_assert_eq!(EnrolCode::parse(&sloppy).unwrap(), code.clone());
            prop_assert!(code.fits(&der));
        }

        #[test]
        fn two_exchanged_letters_are_noticed(random: [u8; 10], at in 0usize..23) {
            let code = EnrolCode::new(random, b"authority").print().replace('-', "");
            let mut letters: Vec<char> = code.chars().collect();
            // 0 and Z are 31 apart: the one pair of letters that the check cannot tell apart.
            let pair = [letters[at], letters[at + 1]];
            prop_assume!(pair[0] != pair[1] && pair != ['0', 'Z'] && pair != ['Z', '0']);
            letters.swap(at, at + 1);
            let typed: String = letters.into_iter().collect();
            prop_assert_eq!(EnrolCode::parse(&typed), Err(CodeError::Check));
        }
    }

    #[test]
    fn a_code_does_not_fit_another_servers_authority() {
        let code = EnrolCode::new([7; 10], b"the hospital's");
        assert!(!code.fits(b"a stranger's"));
        assert_eq!(EnrolCode::parse("ABCDE"), Err(CodeError::Form));
        assert!(!format!("{code:?}").contains(&code.secret));
    }

    #[test]
    fn full_width_letters_are_read() {
        let code = EnrolCode::new([30, 2, 3, 4, 5, 6, 7, 8, 9, 10], b"authority");
        let wide: String =
            code.print().chars().map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap()).collect();
        assert_eq!(EnrolCode::parse(&wide).unwrap(), code);
    }
}
