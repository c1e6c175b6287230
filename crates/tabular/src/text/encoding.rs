//! Which encoding a file is in, and which one a single line of it is in.
//!
//! Hospital systems write GB18030 or its subset GBK; newer ones and re-saved files are UTF-8.
//! Both are decided over the whole file, since headings may be ASCII for a long time, and again
//! for each line, since extracts of two systems get pasted together. GB18030 is always decoded as
//! such and never as GBK, which lacks characters of many names (㛃, 䶮, 𠮷).

use std::sync::OnceLock;

use encoding_rs::{Decoder, DecoderResult, GB18030};

/// An encoding of text whose ASCII bytes stand for themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    Gb18030,
}

impl Encoding {
    /// The name under which people know it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Gb18030 => "GB18030",
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Utf8 => Self::Gb18030,
            Self::Gb18030 => Self::Utf8,
        }
    }
}

/// How a piece of text was decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decoded {
    /// In the file's encoding.
    Clean,
    /// Certainly in this one instead.
    Other(Encoding),
    /// In neither; what could not be read became U+FFFD.
    Lossy,
}

/// Appends `bytes` to `out`, in the file's encoding if that is right for them.
pub(crate) fn decode(file: Encoding, bytes: &[u8], out: &mut String) -> Decoded {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => {
            out.push_str(text);
            Decoded::Clean
        }
        Ok(text) => decode_ambiguous(file, bytes, text, out),
        Err(_) => {
            if decode_gb18030(bytes, true, out) {
                match file {
                    Encoding::Gb18030 => return Decoded::Clean,
                    Encoding::Utf8 => return Decoded::Other(Encoding::Gb18030),
                }
            }
            match file {
                Encoding::Gb18030 => out.push_str(&GB18030.decode_without_bom_handling(bytes).0),
                Encoding::Utf8 => out.push_str(&String::from_utf8_lossy(bytes)),
            }
            Decoded::Lossy
        }
    }
}

/// Decodes bytes that are valid UTF-8 and may be GB18030 as well: `小学` in GB18030 is `Сѧ` in UTF-8.
fn decode_ambiguous(file: Encoding, bytes: &[u8], utf8: &str, out: &mut String) -> Decoded {
    // In a UTF-8 file, any character of three or more bytes (all Chinese ones) settles it.
    if file == Encoding::Utf8 && bytes.iter().any(|&b| b >= 0xE0) {
        out.push_str(utf8);
        return Decoded::Clean;
    }
    let start = out.len();
    let as_gb18030 = decode_gb18030(bytes, true, out).then(|| commonness(&out[start..]));
    let as_utf8 = commonness(utf8);
    let winner = match as_gb18030 {
        None => Encoding::Utf8,
        Some(gb) => {
            let (own, other) = match file {
                Encoding::Utf8 => (as_utf8, gb),
                Encoding::Gb18030 => (gb, as_utf8),
            };
            // The file's own encoding is given up only for something clearly more like Chinese.
            if other > own + 0.3 { file.other() } else { file }
        }
    };
    if winner == Encoding::Utf8 {
        out.truncate(start);
        out.push_str(utf8);
    }
    if winner == file { Decoded::Clean } else { Decoded::Other(winner) }
}

/// Appends `bytes` decoded as GB18030; appends nothing and answers false if they are not valid.
/// If they are not the whole text, they may end within a character.
fn decode_gb18030(bytes: &[u8], whole: bool, out: &mut String) -> bool {
    let start = out.len();
    let mut decoder: Decoder = GB18030.new_decoder_without_bom_handling();
    let Some(room) = decoder.max_utf8_buffer_length_without_replacement(bytes.len()) else {
        return false;
    };
    out.reserve(room);
    let (result, _) = decoder.decode_to_string_without_replacement(bytes, out, whole);
    if result == DecoderResult::InputEmpty {
        return true;
    }
    out.truncate(start);
    false
}

/// The share of everyday Chinese among the characters of two bytes in GB18030. Text decoded wrongly
/// has little of it.
fn commonness(text: &str) -> f64 {
    match everyday(text) {
        (0, _) => 0.0,
        (double, common) => common as f64 / double as f64,
    }
}

/// How many characters have two bytes in GB18030, and how many of them are everyday ones: the
/// 3,755 characters of GB 2312's first level, its punctuation and full-width forms.
fn everyday(text: &str) -> (u64, u64) {
    let sets = CharacterSets::get();
    let mut double = 0;
    let mut common = 0;
    for character in text.chars().filter(|c| !c.is_ascii()) {
        double += u64::from(sets.double.contains(character));
        common += u64::from(sets.everyday.contains(character));
    }
    (double, common)
}

/// A set of characters of the basic plane.
struct CharacterSet(Box<[u64; 1024]>);

impl CharacterSet {
    fn contains(&self, character: char) -> bool {
        let code = character as usize;
        self.0.get(code / 64).is_some_and(|word| word >> (code % 64) & 1 == 1)
    }

    fn insert(&mut self, character: char) {
        let code = character as usize;
        if let Some(word) = self.0.get_mut(code / 64) {
            *word |= 1 << (code % 64);
        }
    }
}

/// Encoding a character to look at its bytes takes microseconds; these are made once by decoding.
struct CharacterSets {
    double: CharacterSet,
    everyday: CharacterSet,
}

impl CharacterSets {
    fn get() -> &'static Self {
        static SETS: OnceLock<CharacterSets> = OnceLock::new();
        SETS.get_or_init(|| {
            let empty = || CharacterSet(Box::new([0; 1024]));
            let mut sets = Self { double: empty(), everyday: empty() };
            for lead in 0x81..=0xFEu8 {
                for trail in 0x40..=0xFEu8 {
                    let bytes = [lead, trail];
                    let (text, lost) = GB18030.decode_without_bom_handling(&bytes);
                    if let (Some(character), false) = (text.chars().next(), lost) {
                        sets.double.insert(character);
                        if matches!(lead, 0xB0..=0xD7 | 0xA1 | 0xA3) && trail >= 0xA1 {
                            sets.everyday.insert(character);
                        }
                    }
                }
            }
            sets
        })
    }
}

/// Bytes below this are never part of a character in GB18030, as commas and tabs are.
pub(crate) const FIRST_TRAIL: u8 = 0x30;

/// Of pieces longer than this only the beginning is judged.
const LONGEST_PIECE: usize = 64 << 10;

/// Counts over a whole file how many of its pieces (lines, or texts between tags) speak for which encoding.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    piece: Vec<u8>,
    /// Within the rest of a piece too long to be judged whole.
    passing_over: bool,
    /// Valid UTF-8 with characters of three or more bytes.
    utf8: u64,
    /// Valid GB18030 and not UTF-8.
    gb18030: u64,
    /// Valid as both, with the likeliness of each summed.
    both: u64,
    both_as_utf8: f64,
    both_as_gb18030: f64,
    neither: u64,
    /// Double-byte characters of a sample of the GB18030, and the everyday ones among them.
    sampled_double: u64,
    sampled_common: u64,
    scratch: String,
}

/// After so many characters a sample of the text's commonness is large enough.
const SAMPLE_CHARACTERS: u64 = 100_000;
/// Fewer characters than this are too few to tell nonsense from rare names.
const LEAST_SAMPLE: u64 = 12;

impl Tally {
    /// Takes the next block of the file.
    pub(crate) fn feed(&mut self, block: &[u8]) {
        let mut rest = block;
        // Neither a line end nor an angle bracket is ever the second byte of a character.
        while let Some(end) = rest.iter().position(|b| matches!(b, b'\n' | b'\r' | b'<' | b'>')) {
            let (head, tail) = rest.split_at(end);
            if std::mem::take(&mut self.passing_over) {
                // Its beginning has been judged.
            } else if self.piece.is_empty() {
                self.judge(head, true);
            } else {
                self.piece.extend_from_slice(head);
                self.judge_kept();
            }
            rest = tail.get(1..).unwrap_or_default();
        }
        if self.passing_over {
            return;
        }
        self.piece.extend_from_slice(rest);
        if self.piece.len() > LONGEST_PIECE {
            self.judge_part();
        }
    }

    /// Judges the beginning of a long piece, which may end within a character, and passes over the rest.
    fn judge_part(&mut self) {
        let piece = std::mem::take(&mut self.piece);
        self.judge(&piece, false);
        self.passing_over = true;
    }

    fn judge_kept(&mut self) {
        let mut piece = std::mem::take(&mut self.piece);
        self.judge(&piece, true);
        piece.clear();
        self.piece = piece;
    }

    fn judge(&mut self, piece: &[u8], whole: bool) {
        if piece.is_ascii() {
            return;
        }
        let utf8 = match std::str::from_utf8(piece) {
            Err(error) if !whole && error.error_len().is_none() => {
                std::str::from_utf8(piece.get(..error.valid_up_to()).unwrap_or_default())
            }
            result => result,
        };
        match utf8 {
            Ok(text) => {
                if piece.iter().any(|&b| b >= 0xE0) {
                    self.utf8 += 1;
                } else {
                    self.both += 1;
                    self.both_as_utf8 += commonness(text);
                    self.scratch.clear();
                    if decode_gb18030(piece, whole, &mut self.scratch) {
                        self.both_as_gb18030 += commonness(&self.scratch);
                    }
                }
            }
            Err(_) => {
                self.scratch.clear();
                if !decode_gb18030(piece, whole, &mut self.scratch) {
                    self.judge_cells(piece);
                    return;
                }
                self.gb18030 += 1;
                if self.sampled_double < SAMPLE_CHARACTERS {
                    let (double, common) = everyday(&self.scratch);
                    self.sampled_double += double;
                    self.sampled_common += common;
                }
            }
        }
    }

    /// Judges a line that is valid as a whole in no encoding by its cells: databases cut texts in the
    /// middle of a character, and a column of addresses can have one in every line.
    fn judge_cells(&mut self, line: &[u8]) {
        let (mut utf8, mut gb18030) = (0, 0);
        for cell in line.split(|byte| *byte < FIRST_TRAIL).filter(|cell| !cell.is_ascii()) {
            self.scratch.clear();
            if std::str::from_utf8(cell).is_ok() {
                utf8 += usize::from(cell.iter().any(|&b| b >= 0xE0));
            } else if decode_gb18030(cell, true, &mut self.scratch) {
                gb18030 += 1;
            }
        }
        match utf8.cmp(&gb18030) {
            std::cmp::Ordering::Greater => self.utf8 += 1,
            std::cmp::Ordering::Less => self.gb18030 += 1,
            std::cmp::Ordering::Equal => self.neither += 1,
        }
    }

    /// The file's encoding; `hint` is what the file says of itself and only settles a tie.
    /// `None` when it is none of the known ones.
    pub(crate) fn decide(mut self, hint: Option<Encoding>) -> Option<Encoding> {
        self.judge_kept();
        let known = self.utf8 + self.gb18030 + self.both;
        // A few lines may be cut in the middle of a character; a file full of them is something else.
        if self.neither > known {
            return None;
        }
        // Big5, Shift-JIS and EUC-KR are mostly valid GB18030, of characters nobody writes.
        let nonsense = self.sampled_double >= LEAST_SAMPLE && self.sampled_common * 4 < self.sampled_double;
        if self.gb18030 > self.utf8 && nonsense {
            return None;
        }
        Some(match self.utf8.cmp(&self.gb18030) {
            std::cmp::Ordering::Greater => Encoding::Utf8,
            std::cmp::Ordering::Less => Encoding::Gb18030,
            std::cmp::Ordering::Equal => hint.unwrap_or({
                if self.both_as_gb18030 > self.both_as_utf8 { Encoding::Gb18030 } else { Encoding::Utf8 }
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn gb(text: &str) -> Vec<u8> {
        let (bytes, _, lost) = GB18030.encode(text);
        assert!(!lost);
        bytes.into_owned()
    }

    fn decided(pieces: &[&[u8]]) -> Option<Encoding> {
        let mut tally = Tally::default();
        for piece in pieces {
            tally.feed(piece);
            tally.feed(b"\n");
        }
        tally.decide(None)
    }

    #[test]
    fn a_short_word_that_is_valid_as_both_is_read_as_the_chinese_it_is() {
        let school = gb("小学");
        assert_eq!(std::str::from_utf8(&school), Ok("Сѧ"));
        assert_eq!(decided(&[&school]), Some(Encoding::Gb18030));
        let mut out = String::new();
        assert_eq!(decode(Encoding::Utf8, &school, &mut out), Decoded::Other(Encoding::Gb18030));
        assert_eq!(out, "小学");
    }

    #[test]
    fn a_degree_sign_in_an_ascii_file_stays_utf8() {
        assert_eq!(decided(&["36.5°C".as_bytes()]), Some(Encoding::Utf8));
    }

    #[test]
    fn utf8_that_is_valid_gb18030_is_not_taken_for_it() {
        // Six bytes, three valid double-byte characters: 鐜嬩紵.
        let utf8 = "王伟".as_bytes();
        let mut out = String::new();
        assert!(decode_gb18030(utf8, true, &mut String::new()));
        assert_eq!(decode(Encoding::Gb18030, utf8, &mut out), Decoded::Other(Encoding::Utf8));
        assert_eq!(out, "王伟");
    }

    #[test]
    fn the_majority_of_lines_decides_and_a_hint_only_settles_ties() {
        let a = gb("内科");
        let b = "病案号,姓名".as_bytes();
        assert_eq!(decided(&[&a, b, b]), Some(Encoding::Utf8));
        assert_eq!(decided(&[&a, b, &a]), Some(Encoding::Gb18030));
        let mut tally = Tally::default();
        tally.feed(&a);
        tally.feed(b"\n");
        tally.feed(b);
        assert_eq!(tally.decide(Some(Encoding::Gb18030)), Some(Encoding::Gb18030));
    }

    #[test]
    fn big5_is_refused_rather_than_shown_as_nonsense() {
        let (big5, _, _) = encoding_rs::BIG5.encode("維基百科是一個自由內容、公開編輯的網路百科全書");
        assert_eq!(decided(&[&big5]), None);
    }
}
