//! Any bytes at all: the answer is a table or an error that says what is wrong, and never a panic.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::io::{Read, Write};
use std::sync::LazyLock;

use aftercare_tabular::{ERROR_CODES, Limits, Options, PROBLEM_CODES, Row, TableError, open};
use common::{discharges, file_of, fixture, gb18030, utf16};
use proptest::prelude::*;
use zip::write::SimpleFileOptions;

/// Small limits, so that they are met as well.
fn tight() -> Options {
    let limits = Limits {
        cell_bytes: 2_000,
        row_bytes: 20_000,
        columns: 300,
        rows: 5_000,
        unpacked_bytes: 8 << 20,
        shared_text_bytes: 4 << 20,
        ..Limits::default()
    };
    Options { limits, cancelled: None }
}

/// Reads everything there is to read in a file: all sheets, twice.
fn exhaust(bytes: &[u8]) -> Result<u64, TableError> {
    let file = file_of(bytes);
    let mut table = open(file.path(), &tight())?;
    let mut rows = 0;
    let mut row = Row::default();
    let mut read_all = |table: &mut aftercare_tabular::Table| {
        while table.next_row(&mut row)? {
            rows += 1;
            assert!(row.cells.len() <= 300);
            assert!(row.problems.iter().all(|problem| PROBLEM_CODES.contains(&problem.kind.code())));
            let progress = table.progress();
            assert!(progress.done <= progress.total);
        }
        Ok::<(), TableError>(())
    };
    read_all(&mut table)?;
    table.rewind()?;
    for index in 0..table.sheets().len() {
        table.select_sheet(index)?;
        read_all(&mut table)?;
    }
    Ok(rows)
}

/// Fails on a panic, which the reader catches and calls damage of its own.
fn check(bytes: &[u8]) {
    if let Err(error) = exhaust(bytes) {
        let panicked = matches!(error, TableError::FileDamaged { part: "reader", .. });
        assert!(!panicked, "a parser panicked");
        assert!(ERROR_CODES.contains(&error.code()), "{error:?}");
        assert!(!matches!(error, TableError::Io { .. }), "{error:?}");
    }
}

/// One file of every format and most encodings.
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let text: String = discharges().lines().take(12).map(|line| format!("{line}\r\n")).collect();
    let rows =
        text.replace(',', "</td><td colspan=2 x:num=\"1\">").replace("\r\n", "</td></tr><tr><td rowspan=2>");
    let html = format!("<html><!-- x --><table><tr><td>{rows}&nbsp;&#20013;</td></tr></table></html>");
    let mut seeds = vec![
        gb18030(&text),
        text.clone().into_bytes(),
        [b"\xFF\xFE".to_vec(), utf16(&text, false)].concat(),
        text.lines()
            .map(|line| format!("\"{}\"\n", line.replace(',', "\",\"")))
            .collect::<String>()
            .into_bytes(),
        gb18030(&html),
        html.into_bytes(),
    ];
    for name in [
        "dbf/memotest.dbf",
        "dbf/people.dbf",
        "calamine/date.xls",
        "calamine/biff5_write.xls",
        "calamine/any_sheets.xls",
        "calamine/malformed_format.xls",
        "calamine/xls_wrong_decimals.xls",
        "calamine/date_1904.xlsx",
        "calamine/any_sheets.xlsx",
        "calamine/pass_protected.xlsx",
        "calamine/any_sheets.xlsb",
    ] {
        seeds.push(std::fs::read(fixture(name)).unwrap());
    }
    seeds
});

/// The parts of a workbook, to be damaged behind the archive's check sums.
static PARTS: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let bytes = std::fs::read(fixture("calamine/any_sheets.xlsx")).unwrap();
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let read = |index| {
        let mut part = zip.by_index(index).unwrap();
        let mut content = Vec::new();
        part.read_to_end(&mut content).unwrap();
        (part.name().unwrap().into_owned(), content)
    };
    (0..zip_length()).map(read).collect()
});

fn zip_length() -> usize {
    let bytes = std::fs::read(fixture("calamine/any_sheets.xlsx")).unwrap();
    zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap().len()
}

/// One way to damage bytes.
#[derive(Debug, Clone)]
enum Damage {
    Set(usize, u8),
    Cut(usize),
    Remove(usize, usize),
    Repeat(usize, usize),
    Insert(usize, Vec<u8>),
    Number(usize, u32),
}

fn any_damage() -> impl Strategy<Value = Damage> {
    let at = any::<usize>();
    let interesting =
        prop::sample::select(vec![0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFE, u32::MAX]);
    let bits =
        prop::sample::select(vec!["<", ">", "\"", "&", "<t>", "</c>", "<c r=\"A1\">", "<v>", "\u{0}", "]]>"]);
    prop_oneof![
        4 => (at, any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        1 => at.prop_map(Damage::Cut),
        1 => (at, 1usize..200).prop_map(|(at, length)| Damage::Remove(at, length)),
        1 => (at, 1usize..2000).prop_map(|(at, length)| Damage::Repeat(at, length)),
        1 => (at, prop::collection::vec(any::<u8>(), 1..20)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        1 => (at, bits).prop_map(|(at, text)| Damage::Insert(at, text.as_bytes().to_vec())),
        2 => (at, interesting).prop_map(|(at, number)| Damage::Number(at, number)),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    let length = bytes.len();
    let place = |at: usize| at % (length + 1);
    match damage {
        Damage::Set(at, byte) => {
            if let Some(target) = bytes.get_mut(place(*at)) {
                *target = *byte;
            }
        }
        Damage::Cut(at) => bytes.truncate(place(*at)),
        Damage::Remove(at, count) => {
            bytes.drain(place(*at)..(place(*at) + count).min(length));
        }
        Damage::Repeat(at, count) => {
            let piece = bytes[place(*at)..(place(*at) + count).min(length)].to_vec();
            bytes.splice(place(*at)..place(*at), piece);
        }
        Damage::Insert(at, piece) => {
            bytes.splice(place(*at)..place(*at), piece.iter().copied());
        }
        Damage::Number(at, number) => {
            for (offset, byte) in number.to_le_bytes().into_iter().enumerate() {
                if let Some(target) = bytes.get_mut(place(*at) + offset) {
                    *target = byte;
                }
            }
        }
    }
}

/// Beginnings that lead into each parser.
const MAGIC: &[&[u8]] = &[
    b"",
    b"PK\x03\x04",
    b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
    b"\x09\x08\x10\x00\x00\x06\x05\x00",
    b"\x09\x08\x08\x00\x00\x05\x10\x00",
    b"\x03\x7E\x01\x01",
    b"<html><table><tr><td>",
    b"<?xml",
    b"\xFF\xFE",
    b"\xFE\xFF",
    b"\xEF\xBB\xBF",
    b"sep=;\n",
];

/// A longer search is a matter of setting PROPTEST_CASES.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(800)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn random_bytes_never_panic(magic in prop::sample::select(MAGIC), body in prop::collection::vec(any::<u8>(), 0..3_000)) {
        check(&[magic, &body].concat());
    }

    #[test]
    fn random_text_never_panics(text in "([\"',;|\t\r\n=<>&;/ a0王𠮷\u{0}\u{FFFD}]|<td|</table>|<table>|<tr>|&#x|sep=){0,300}", encoding in 0..4) {
        check(&match encoding {
            0 => text.into_bytes(),
            1 => gb18030(&text.replace('\u{FFFD}', "")),
            2 => utf16(&text, false),
            _ => utf16(&text, true),
        });
    }

    #[test]
    fn damaged_files_never_panic(seed in any::<prop::sample::Index>(), damages in prop::collection::vec(any_damage(), 1..8)) {
        let mut bytes = seed.get(&SEEDS).clone();
        damages.iter().for_each(|damage| apply(&mut bytes, damage));
        check(&bytes);
    }

    #[test]
    fn damaged_parts_of_a_workbook_never_panic(victim in any::<prop::sample::Index>(), damages in prop::collection::vec(any_damage(), 1..6)) {
        let victim = victim.index(PARTS.len());
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        for (index, (name, content)) in PARTS.iter().enumerate() {
            let mut content = content.clone();
            if index == victim {
                damages.iter().for_each(|damage| apply(&mut content, damage));
            }
            zip.start_file(name, options).unwrap();
            zip.write_all(&content).unwrap();
        }
        check(&zip.finish().unwrap().into_inner());
    }
}

#[test]
fn the_seeds_themselves_are_read() {
    // All but the protected one and the .xlsb.
    let unread: Vec<String> =
        SEEDS.iter().filter_map(|seed| exhaust(seed).err()).map(|error| format!("{error:?}")).collect();
    assert_eq!(unread, ["FileEncrypted", "FormatUnsupported { found: \"xlsb\" }"]);
}

#[test]
fn an_error_never_shows_what_the_file_says() {
    let secret = "王䶮的秘密";
    let long = secret.repeat(1_000);
    for text in [format!("a,b\n1,{long}\n"), format!("a,b\n1,\"{secret}\n"), format!("<table><tr><td>{long}")]
    {
        let error = exhaust(text.as_bytes()).unwrap_err();
        let shown = format!("{error} {error:?} {:?}", error.params());
        assert!(!shown.contains(secret), "{shown}");
    }
}
