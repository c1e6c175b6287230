//! What a file is, by its first bytes. Its name is never looked at: HTML is sold as .xls every day.

use crate::text::source::Layout;

/// What the first block of a file says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Delimited text, or anything that could be.
    Text(Layout),
    /// HTML with a table.
    Html(Layout),
    /// A ZIP archive: .xlsx and many others.
    Zip,
    /// An OLE compound file: .xls, .et, an encrypted workbook, and others.
    Ole,
    /// A BIFF5 or BIFF8 stream that is not wrapped in OLE.
    BareBiff,
    /// A dBase table.
    Dbf,
    /// Something known that is not read.
    Unsupported(&'static str),
}

/// How many bytes [`detect`] wants to see.
pub(crate) const HEAD_BYTES: usize = 64 << 10;

/// Beginnings of files that are no tables.
const SIGNATURES: &[(&[u8], &str)] = &[
    (b"%PDF", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xFF\xD8\xFF", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"\x1F\x8B\x08", "gzip"),
    (b"7z\xBC\xAF\x27\x1C", "7z"),
    (b"Rar!\x1A\x07", "rar"),
    (b"\xFD7zXZ\0", "xz"),
    (b"BZh91AY&SY", "bzip2"),
    (b"SQLite format 3\0", "sqlite"),
    (b"{\\rtf", "rtf"),
    (b"\0\x01\0\0Standard Jet DB", "access"),
    (b"\0\x01\0\0Standard ACE DB", "access"),
    (b"\x7FELF", "program"),
];

/// Recognises a file by its beginning (up to [`HEAD_BYTES`]) and its length.
pub(crate) fn detect(head: &[u8], file_bytes: u64) -> Kind {
    if head.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        return Kind::Ole;
    }
    // The third is the mark of an archive that was meant to be split and was not.
    if [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"].iter().any(|mark| head.starts_with(*mark)) {
        return Kind::Zip;
    }
    for (signature, name) in SIGNATURES {
        if head.starts_with(signature) {
            return Kind::Unsupported(name);
        }
    }
    if let Some(name) = structured(head, file_bytes) {
        return Kind::Unsupported(name);
    }
    match head {
        [0x09, 0x08, 0x08 | 0x10, 0x00, 0x00, 0x05 | 0x06, ..] => return Kind::BareBiff,
        [0x09, 0x00, 0x04, 0x00, ..] => return Kind::Unsupported("biff2"),
        [0x09, 0x02, 0x04 | 0x06, 0x00, ..] => return Kind::Unsupported("biff3"),
        [0x09, 0x04, 0x04 | 0x06, 0x00, ..] => return Kind::Unsupported("biff4"),
        _ => {}
    }
    if crate::dbf::looks_like(head) {
        return Kind::Dbf;
    }
    let layout = Layout::of(head);
    let preview = layout.preview(head);
    if let Some(kind) = markup(&preview, layout) {
        return kind;
    }
    // Text has line ends and tabs below the space, and little else.
    let odd = |b: &&u8| matches!(b, 0..=8 | 14..=25 | 27..=31);
    if preview.iter().filter(odd).count() * 20 > preview.len() {
        return Kind::Unsupported("binary");
    }
    Kind::Text(layout)
}

/// Formats whose short signature could be text as well, with a second look.
fn structured(head: &[u8], file_bytes: u64) -> Option<&'static str> {
    let word = |at: usize| {
        let bytes: [u8; 4] = head.get(at..at + 4)?.try_into().ok()?;
        Some(u64::from(u32::from_le_bytes(bytes)))
    };
    if head.starts_with(b"BM") && word(2) == Some(file_bytes) {
        return Some("bmp");
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return Some("webp");
    }
    if head.starts_with(b"MZ") && head.get(2..64).is_some_and(|rest| rest.contains(&0)) {
        return Some("program");
    }
    None
}

/// HTML, XML and the mail form of HTML that Excel writes.
fn markup(preview: &[u8], layout: Layout) -> Option<Kind> {
    let start = preview.iter().position(|b| !b.is_ascii_whitespace())?;
    let body = preview.get(start..)?;
    let lower = body.to_ascii_lowercase();
    let has = |needle: &str| memchr::memmem::find(&lower, needle.as_bytes()).is_some();
    if lower.starts_with(b"mime-version:") && has("multipart/related") {
        return Some(Kind::Unsupported("mhtml"));
    }
    if !lower.starts_with(b"<") {
        return None;
    }
    if has("urn:schemas-microsoft-com:office:spreadsheet") && !has("<html") {
        return Some(Kind::Unsupported("xml_2003"));
    }
    let html = ["<html", "<table", "<!doctype html", "<head", "<meta", "<body", "<tr", "<style", "<div"];
    if html.iter().any(|tag| has(tag)) {
        return Some(Kind::Html(layout));
    }
    lower.starts_with(b"<?xml").then_some(Kind::Unsupported("xml"))
}
