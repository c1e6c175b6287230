//! A million rows of 21 columns are read in bounded memory: measured on a process of its own, by
//! the high-water mark that the kernel keeps for it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;

use aftercare_tabular::{Options, Row, open};
use common::gb18030;
use zip::write::SimpleFileOptions;

const ROWS: u32 = 1_000_000;
const COLUMNS: usize = 21;
/// Names the file to read in the measured process.
const FILE: &str = "AFTERCARE_TABULAR_MEASURE";

/// The measured process: this same program, started again with a file to read.
#[test]
fn read_the_named_file() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let mut table = open(Path::new(&path), &Options::default()).unwrap();
    let mut row = Row::default();
    let mut rows = 0u64;
    let mut cells = 0usize;
    while table.next_row(&mut row).unwrap() {
        rows += 1;
        cells += row.cells.iter().filter(|cell| !cell.is_empty()).count();
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: u64 = peak.trim().trim_end_matches("kB").trim().parse().unwrap();
    println!("measured {rows} {cells} {kilobytes}");
}

/// Rows, cells and peak memory in MB of reading a file.
fn measure(path: &Path) -> (u64, u64, u64) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "read_the_named_file", "--nocapture", "--test-threads=1"])
        .env(FILE, path)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let line =
        text.lines().find_map(|line| line.split_once("measured ")).unwrap_or_else(|| panic!("{errors}"));
    let numbers: Vec<u64> = line.1.split(' ').map(|number| number.parse().unwrap()).collect();
    println!("{}: {} rows, {} MB", path.display(), numbers[0], numbers[2] / 1024);
    (numbers[0], numbers[1], numbers[2] / 1024)
}

/// The words of each column. To those marked, the row's number is added, so that they come once.
const WORDS: [(&str, bool); COLUMNS] = [
    ("", true),
    ("ZY", true),
    ("欧阳王伟", true),
    ("男", false),
    ("1987-03-01", false),
    ("1101051987", true),
    ("139", true),
    ("云南省呼和浩特县秀英胡路三单元", true),
    ("心血管内科", false),
    ("2026-10-10 09:42", false),
    ("2026-10-11 18:11", false),
    ("12", false),
    ("N20.000", false),
    ("肾结石", false),
    ("杨秀荣", false),
    ("医嘱离院", false),
    ("20580.6", false),
    ("新型农村合作医疗", false),
    ("许淑兰", true),
    ("父母", false),
    ("158", true),
];

/// The words in GB18030, which is slow to encode and so done once.
fn words_in_gb18030() -> Vec<(Vec<u8>, bool)> {
    WORDS.iter().map(|(word, own)| (gb18030(word), *own)).collect()
}

/// Digits that look as random as those of telephones do.
fn number(i: u32) -> u32 {
    i.wrapping_mul(2_654_435_761) % 100_000_000
}

#[test]
fn a_million_rows_of_text_need_little_memory() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut out = BufWriter::new(file.as_file());
    let words = words_in_gb18030();
    for i in 0..ROWS {
        for (column, (word, own)) in words.iter().enumerate() {
            out.write_all(if column == 0 { b"" } else { b"," }).unwrap();
            out.write_all(word).unwrap();
            if *own {
                write!(out, "{:08}", number(i)).unwrap();
            }
        }
        out.write_all(b"\r\n").unwrap();
    }
    out.flush().unwrap();
    let (rows, cells, megabytes) = measure(file.path());
    assert_eq!((rows, cells), (u64::from(ROWS), u64::from(ROWS) * COLUMNS as u64));
    assert!(megabytes < 40, "{megabytes} MB");
}

#[test]
fn a_million_records_of_a_dbf_need_little_memory() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut out = BufWriter::new(file.as_file());
    const WIDTH: u8 = 48;
    let mut header = vec![0x03, 126, 11, 22];
    header.extend(ROWS.to_le_bytes());
    header.extend((33 + 32 * COLUMNS as u16).to_le_bytes());
    header.extend((1 + u16::from(WIDTH) * COLUMNS as u16).to_le_bytes());
    header.resize(32, 0);
    for index in 0..COLUMNS {
        let mut field = format!("F{index}").into_bytes();
        field.resize(11, 0);
        field.push(b'C');
        field.resize(16, 0);
        field.push(WIDTH);
        field.resize(32, 0);
        header.extend(field);
    }
    header.push(0x0D);
    out.write_all(&header).unwrap();
    let mut record = Vec::new();
    let words = words_in_gb18030();
    for i in 0..ROWS {
        record.clear();
        record.push(b' ');
        for (index, (word, own)) in words.iter().enumerate() {
            record.extend_from_slice(word);
            if *own {
                write!(record, "{:08}", number(i)).unwrap();
            }
            record.resize(1 + (index + 1) * usize::from(WIDTH), b' ');
        }
        out.write_all(&record).unwrap();
    }
    out.flush().unwrap();
    let (rows, _, megabytes) = measure(file.path());
    assert_eq!(rows, u64::from(ROWS) + 1);
    assert!(megabytes < 40, "{megabytes} MB");
}

/// A workbook packs and parses slowly without optimisation, so the rows are fewer and their texts
/// longer: 130 MB of them. A million rows with eight million texts were measured once and took 87 MB.
#[test]
fn a_workbook_full_of_different_texts_fits() {
    const ROWS: u32 = 150_000;
    const PADDING: &str = "县南溪马鞍山街秀英胡路三单元左侧第二个门洞";
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut zip = zip::ZipWriter::new(BufWriter::new(file.as_file()));
    let options = SimpleFileOptions::default().compression_level(Some(1)).large_file(true);
    let mut part = |name: &str, text: &str| {
        zip.start_file(name, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    };
    part("[Content_Types].xml", "<Types/>");
    part(
        "xl/workbook.xml",
        "<workbook><sheets><sheet name=\"出院\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>",
    );
    part(
        "xl/_rels/workbook.xml.rels",
        "<Relationships><Relationship Id=\"rId1\" Type=\"x/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>",
    );
    let own_columns = WORDS.iter().filter(|(_, own)| *own).count() as u32;
    zip.start_file("xl/sharedStrings.xml", options).unwrap();
    {
        let mut out = BufWriter::with_capacity(1 << 20, &mut zip);
        out.write_all(b"<sst>").unwrap();
        WORDS.iter().for_each(|(word, _)| write!(out, "<si><t>{word}</t></si>").unwrap());
        for i in 0..ROWS {
            for (word, _) in WORDS.iter().filter(|(_, own)| *own) {
                write!(out, "<si><t>{word}{PADDING}{:08}{i}{PADDING}</t></si>", number(i)).unwrap();
            }
        }
        out.write_all(b"</sst>").unwrap();
        out.flush().unwrap();
    }
    zip.start_file("xl/worksheets/sheet1.xml", options).unwrap();
    {
        let mut out = BufWriter::with_capacity(1 << 20, &mut zip);
        out.write_all(b"<worksheet><sheetData>").unwrap();
        for i in 0..ROWS {
            write!(out, "<row r=\"{}\">", i + 1).unwrap();
            let mut next = COLUMNS as u32 + i * own_columns;
            for (column, (_, own)) in WORDS.iter().enumerate() {
                let index = if *own { next } else { column as u32 };
                next += u32::from(*own);
                write!(out, "<c t=\"s\"><v>{index}</v></c>").unwrap();
            }
            out.write_all(b"</row>").unwrap();
        }
        out.write_all(b"</sheetData></worksheet>").unwrap();
        out.flush().unwrap();
    }
    zip.finish().unwrap().flush().unwrap();
    let (rows, cells, megabytes) = measure(file.path());
    assert_eq!((rows, cells), (u64::from(ROWS), u64::from(ROWS) * COLUMNS as u64));
    assert!(megabytes < 120, "{megabytes} MB");
}

#[test]
fn a_cell_of_300_mb_is_refused_in_little_memory() {
    for (head, tail) in [("a,b\n1,", ""), ("a,b\n1,\"", "\"\n"), ("<table><tr><td>", "</table>")] {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut out = BufWriter::new(file.as_file());
        out.write_all(head.as_bytes()).unwrap();
        let block = gb18030("王").repeat(1 << 19);
        (0..300).for_each(|_| out.write_all(&block).unwrap());
        out.write_all(tail.as_bytes()).unwrap();
        out.flush().unwrap();
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "refuse_the_named_file", "--nocapture", "--test-threads=1"])
            .env(FILE, file.path())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let line = text.lines().find_map(|line| line.split_once("refused ")).unwrap().1.to_owned();
        let (code, kilobytes) = line.split_once(' ').unwrap();
        assert_eq!(code, "cell_too_long");
        assert!(kilobytes.parse::<u64>().unwrap() < 60 << 10, "{kilobytes} kB");
    }
}

#[test]
fn refuse_the_named_file() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let mut row = Row::default();
    let mut read = || {
        let mut table = open(Path::new(&path), &Options::default())?;
        while table.next_row(&mut row)? {}
        Ok::<(), aftercare_tabular::TableError>(())
    };
    let error = read().unwrap_err();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("refused {} {}", error.code(), peak.trim().trim_end_matches("kB").trim());
}
