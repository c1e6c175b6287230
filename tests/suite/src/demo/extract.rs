//! The sample extract, moved in time: a demo shows people who have just left hospital.

use chrono::{NaiveDate, TimeDelta};

use crate::Answer;
use crate::programs::root;

/// Columns of the sample that hold a time of the stay.
const TIMES: [&str; 2] = ["入院时间", "出院时间"];

/// The sample extract as its HIS wrote it.
///
/// # Errors
/// When the file is not there.
pub fn sample() -> Answer<Vec<u8>> {
    Ok(std::fs::read(root().join("assets/demo/出院患者_gb18030.csv"))?)
}

/// The same extract with every stay moved by whole days, so that the last discharge is the day before `today`.
///
/// # Errors
/// When it is not the sample's layout.
pub fn moved_to(extract: &[u8], today: NaiveDate) -> Answer<Vec<u8>> {
    let (text, _, broken) = encoding_rs::GB18030.decode(extract);
    if broken {
        return Err("the sample is GB18030".into());
    }
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headings = reader.headers()?.clone();
    let columns: Vec<usize> =
        TIMES.iter().filter_map(|name| headings.iter().position(|heading| heading == *name)).collect();
    let [_, discharged] = columns[..] else { return Err("the sample has both times".into()) };
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>()?;
    let last =
        rows.iter().filter_map(|row| day(row.get(discharged)?)).max().ok_or("the sample has discharges")?;
    let by = today - TimeDelta::days(1) - last;

    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&headings)?;
    for row in &rows {
        writer.write_record(row.iter().enumerate().map(|(index, cell)| {
            let moved = day(cell).filter(|_| columns.contains(&index));
            moved.map_or_else(
                || cell.to_owned(),
                |day| format!("{}{}", day + by, cell.get(10..).unwrap_or_default()),
            )
        }))?;
    }
    let moved = String::from_utf8(writer.into_inner().map_err(|error| error.into_error())?)?;
    Ok(encoding_rs::GB18030.encode(&moved).0.into_owned())
}

fn day(cell: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(cell.get(..10)?, "%Y-%m-%d").ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use chrono::NaiveDate;

    use super::{moved_to, sample};

    #[test]
    fn stays_move_together_and_nothing_else_changes() {
        let extract = sample().unwrap();
        let today = NaiveDate::from_ymd_opt(2030, 3, 1).unwrap();
        let moved = moved_to(&extract, today).unwrap();
        let text = |bytes: &[u8]| encoding_rs::GB18030.decode(bytes).0.into_owned();
        let (before, after) = (text(&extract), text(&moved));
        assert!(after.contains("2030-02-28"), "the last discharge was yesterday");
        assert!(after.contains("张𠮷祥") && after.contains("刘㛃"));
        let rows = |text: &str| {
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            reader.records().map(Result::unwrap).collect::<Vec<_>>()
        };
        for (old, new) in rows(&before).iter().zip(rows(&after)) {
            for (index, (old, new)) in old.iter().zip(new.iter()).enumerate() {
                assert_eq!(old == new, ![9, 10].contains(&index), "column {index}");
            }
        }
    }
}
