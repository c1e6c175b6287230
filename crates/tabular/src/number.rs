//! What a spreadsheet's number means under its number format.

use chrono::{Duration, NaiveDate, NaiveDateTime};

use crate::row::Cell;

/// What a number format makes of a number, as far as it changes what people see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum NumberKind {
    #[default]
    Plain,
    /// Date, time or both.
    DateTime,
    /// Zeros in front up to so many digits: the format `00000000`.
    ZeroPadded(usize),
}

/// Zeros beyond this make no number that anybody uses.
const MOST_ZEROS: usize = 30;

impl NumberKind {
    /// Of a format that Excel has built in (ECMA-376 part 1, 18.8.30; 27 to 36 and 50 to 58 are
    /// the Chinese date formats).
    pub(crate) fn of_builtin(id: u16) -> Self {
        match id {
            14..=22 | 27..=36 | 45 | 47 | 50..=58 => Self::DateTime,
            _ => Self::Plain,
        }
    }

    /// Of a format's own text, such as `yyyy"年"m"月"d"日"` or `[$-804]aaaa;@`.
    pub(crate) fn of_format(format: &str) -> Self {
        if (2..=MOST_ZEROS).contains(&format.len()) && format.bytes().all(|b| b == b'0') {
            return Self::ZeroPadded(format.len());
        }
        let mut rest = format.chars();
        let mut weekday_letters = 0;
        while let Some(character) = rest.next() {
            match character {
                // What follows formats negative numbers and text.
                ';' => break,
                '"' => {
                    rest.find(|&c| c == '"');
                }
                '\\' | '_' | '*' => {
                    rest.next();
                }
                '[' => {
                    let inside: String = rest.by_ref().take_while(|&c| c != ']').take(40).collect();
                    // [h], [mm], [ss]: an elapsed time, which is no point in time.
                    let elapsed = |c: char| matches!(c.to_ascii_lowercase(), 'h' | 'm' | 's');
                    if !inside.is_empty() && inside.chars().all(elapsed) {
                        return Self::Plain;
                    }
                }
                'a' | 'A' => weekday_letters += 1,
                // "General" has none of these letters.
                'y' | 'Y' | 'm' | 'M' | 'd' | 'D' | 'h' | 'H' | 's' | 'S' => return Self::DateTime,
                _ => {}
            }
        }
        if weekday_letters >= 3 { Self::DateTime } else { Self::Plain }
    }
}

/// From which day a workbook counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Epoch {
    /// 1 is 1900-01-01, and 60 the 29 February that 1900 did not have.
    #[default]
    From1900,
    /// 0 is 1904-01-01: workbooks made on old Macs.
    From1904,
}

/// 9999-12-31 in both systems lies below this.
const LAST_SERIAL: f64 = 2_958_466.0;

/// The point in time of a serial number, to the millisecond; `None` if there is none.
/// A time of day without a date is on 1899-12-31.
pub(crate) fn date_of_serial(serial: f64, epoch: Epoch) -> Option<NaiveDateTime> {
    if !serial.is_finite() || serial <= 0.0 || serial >= LAST_SERIAL {
        return None;
    }
    let first = match epoch {
        Epoch::From1904 => NaiveDate::from_ymd_opt(1904, 1, 1)?,
        Epoch::From1900 if serial < 60.0 => NaiveDate::from_ymd_opt(1899, 12, 31)?,
        Epoch::From1900 if serial < 61.0 => return None,
        Epoch::From1900 => NaiveDate::from_ymd_opt(1899, 12, 30)?,
    };
    let milliseconds = (serial * 86_400_000.0).round();
    first.and_hms_opt(0, 0, 0)?.checked_add_signed(Duration::milliseconds(milliseconds as i64))
}

/// The cell that a number with a format is.
pub(crate) fn number_cell(value: f64, kind: NumberKind, epoch: Epoch) -> Cell {
    match kind {
        NumberKind::Plain => Cell::Number(value),
        NumberKind::DateTime => date_of_serial(value, epoch).map_or(Cell::Number(value), Cell::DateTime),
        NumberKind::ZeroPadded(width) => {
            if value.fract() == 0.0 && (0.0..1e15).contains(&value) {
                Cell::Text(format!("{value:0>width$.0}"))
            } else {
                Cell::Number(value)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn formats_are_told_apart() {
        let dates = [
            "yyyy-mm-dd",
            "yyyy\"年\"m\"月\"d\"日\"",
            "[$-804]aaaa;@",
            "[DBNum1][$-804]yyyy\"年\"m\"月\"",
            "h:mm AM/PM",
            "上午/下午h\"时\"mm\"分\"",
            "m/d/yy h:mm;@",
            "[Red]YYYY/MM/DD",
        ];
        for format in dates {
            assert_eq!(NumberKind::of_format(format), NumberKind::DateTime, "{format}");
        }
        let plain = [
            "General",
            "G/通用格式",
            "0.00E+00",
            "#,##0.00\"days\"",
            "[h]:mm:ss",
            "@",
            "0",
            "\\d0",
            "¥#,##0;[Red]-0",
        ];
        for format in plain {
            assert_eq!(NumberKind::of_format(format), NumberKind::Plain, "{format}");
        }
        assert_eq!(NumberKind::of_format("00000000"), NumberKind::ZeroPadded(8));
    }

    #[test]
    fn serial_numbers_are_points_in_time() {
        let at = |serial, epoch| date_of_serial(serial, epoch).map(|at| at.to_string());
        assert_eq!(at(1.0, Epoch::From1900).unwrap(), "1900-01-01 00:00:00");
        assert_eq!(at(59.0, Epoch::From1900).unwrap(), "1900-02-28 00:00:00");
        assert_eq!(at(60.0, Epoch::From1900), None);
        assert_eq!(at(61.0, Epoch::From1900).unwrap(), "1900-03-01 00:00:00");
        assert_eq!(at(46_305.404_166_666_7, Epoch::From1900).unwrap(), "2026-10-10 09:42:00");
        assert_eq!(at(46305.0 - 1462.0, Epoch::From1904).unwrap(), "2026-10-10 00:00:00");
        assert_eq!(at(0.5, Epoch::From1900).unwrap(), "1899-12-31 12:00:00");
        assert_eq!(at(f64::NAN, Epoch::From1900), None);
        assert_eq!(at(1e300, Epoch::From1900), None);
        assert_eq!(at(-1.0, Epoch::From1900), None);
    }

    #[test]
    fn padding_gives_back_the_zeros_that_people_see() {
        let cell = number_cell(212200.0, NumberKind::ZeroPadded(8), Epoch::From1900);
        assert_eq!(cell.to_text(), "00212200");
    }
}
