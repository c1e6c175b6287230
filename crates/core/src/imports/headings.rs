//! Which row holds the headings, and which field each of them means.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use aftercare_domain::cell_text::{half_width, unguard};
use aftercare_tabular::Row;
use serde::Deserialize;

use super::fields::Field;

/// Headings stand within the first rows, below titles.
const HEADING_ROWS: u64 = 15;
/// A column is matched by itself from this confidence on; below, a person decides.
pub const SURE: u8 = 80;
/// Fewer matched headings than this are no headings.
const FEWEST: usize = 3;

/// A column as its heading was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// From 0.
    pub index: usize,
    /// The heading as it stands in the file, of two lines joined by a space.
    pub heading: String,
    /// What it fills.
    pub field: Option<Field>,
    /// 0 to 100.
    pub confidence: u8,
}

/// The row or two rows of headings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headings {
    /// Number of the first of them.
    pub first_row: u64,
    /// Number of the last of them; data begin below.
    pub last_row: u64,
    /// Every column that has a heading.
    pub columns: Vec<Column>,
}

#[derive(Debug, Default, Deserialize)]
struct Dictionary {
    fields: BTreeMap<String, Vec<String>>,
    ignored: Vec<String>,
    units: Vec<String>,
    prefixes: Vec<String>,
    totals: Vec<String>,
    footers: Vec<String>,
    #[serde(skip)]
    by_heading: HashMap<String, Option<Field>>,
}

fn dictionary() -> &'static Dictionary {
    static SHIPPED: OnceLock<Dictionary> = OnceLock::new();
    SHIPPED.get_or_init(|| {
        let text = include_str!("../../../../assets/content/dictionaries/import_headings.json");
        let mut shipped: Dictionary = serde_json::from_str(text).unwrap_or_default();
        let ignored = shipped.ignored.iter().map(|heading| (comparable(heading), None));
        let fields = shipped.fields.iter().flat_map(|(code, headings)| {
            let field = Field::from_code(code);
            headings.iter().map(move |heading| (comparable(heading), field))
        });
        shipped.by_heading = ignored.chain(fields).collect();
        shipped.units = shipped.units.iter().map(|unit| comparable(unit)).collect();
        shipped
    })
}

/// Words that begin the last row of a table.
pub(super) fn totals() -> &'static [String] {
    &dictionary().totals
}

/// Words that stand below a table.
pub(super) fn footers() -> &'static [String] {
    &dictionary().footers
}

/// A heading without what hospitals vary freely: width, case, spaces, punctuation.
pub fn comparable(heading: &str) -> String {
    half_width(heading)
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '¥' | '￥'))
        .flat_map(char::to_uppercase)
        .collect()
}

/// What a heading means and how sure that is.
pub fn meaning(heading: &str) -> Option<(Field, u8)> {
    let whole = comparable(heading);
    if whole.is_empty() {
        return None;
    }
    let words = dictionary();
    if let Some(known) = words.by_heading.get(&whole) {
        return known.map(|field| (field, 100));
    }
    let bare = comparable(&without_brackets(heading));
    if bare != whole
        && let Some(known) = words.by_heading.get(&bare)
    {
        // 总费用(元) says the same as 总费用; 诊断(门诊) may not.
        let unit = words.units.contains(&bracketed(heading));
        return known.map(|field| (field, if unit { 98 } else { 70 }));
    }
    let stem = bare.trim_end_matches(|c: char| c.is_ascii_digit());
    if stem != bare
        && let Some(Some(field)) = words.by_heading.get(stem)
    {
        return Some((*field, if field.takes_many_columns() { 95 } else { 60 }));
    }
    for prefix in &words.prefixes {
        if let Some(rest) = bare.strip_prefix(prefix.as_str())
            && let Some(Some(field)) = words.by_heading.get(rest)
        {
            return Some((*field, 90));
        }
    }
    within(&bare).map(|field| (field, 50))
}

/// The field whose longest heading stands within a text; a guess.
fn within(text: &str) -> Option<Field> {
    let known = dictionary().by_heading.iter();
    let inside = known.filter(|(heading, _)| {
        heading.chars().count() >= 3 && !heading.is_ascii() && text.contains(heading.as_str())
    });
    inside
        .max_by_key(|(heading, _)| (heading.chars().count(), heading.as_str()))
        .and_then(|(_, field)| *field)
}

fn without_brackets(text: &str) -> String {
    let mut depth = 0_u32;
    let mut kept = String::new();
    for c in half_width(text).chars() {
        match c {
            '(' | '[' | '【' | '{' => depth += 1,
            ')' | ']' | '】' | '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

fn bracketed(text: &str) -> String {
    let text = half_width(text);
    let from = text.find(['(', '[', '【', '{']);
    let to = text.rfind([')', ']', '】', '}']);
    match (from, to) {
        (Some(from), Some(to)) if from < to => comparable(&text[from..to]),
        _ => String::new(),
    }
}

/// Finds the headings among the first rows of a table: the row, or two rows, in which most fields are recognised.
pub fn find(rows: &[Row]) -> Option<Headings> {
    let mut best: Option<(usize, Headings)> = None;
    let upper = rows.iter().enumerate().take_while(|(_, row)| row.number <= HEADING_ROWS);
    for (at, row) in upper {
        let own = texts(row);
        let single = columns_of(&own);
        let alone = score(&single);
        let mut candidates =
            vec![(alone, Headings { first_row: row.number, last_row: row.number, columns: single })];
        if let Some(below) =
            rows.get(at + 1).filter(|below| below.number == row.number + 1 && reads_like_headings(below))
        {
            let part = texts(below);
            let columns = columns_of(&joined(&own, &part));
            let together = score(&columns);
            // A title above plain headings adds nothing to them: then they are one line.
            if together > alone && together > score(&columns_of(&part)) {
                let headings = Headings { first_row: row.number, last_row: below.number, columns };
                candidates.push((together, headings));
            }
        }
        for (score, candidate) in candidates {
            if score >= FEWEST && best.as_ref().is_none_or(|(most, _)| score > *most) {
                best = Some((score, candidate));
            }
        }
    }
    best.map(|(_, headings)| headings)
}

/// How many different fields are surely recognised.
fn score(columns: &[Column]) -> usize {
    let mut fields: Vec<Field> =
        columns.iter().filter(|column| column.confidence >= SURE).filter_map(|column| column.field).collect();
    fields.sort_unstable();
    fields.dedup();
    fields.len()
}

fn texts(row: &Row) -> Vec<String> {
    row.cells.iter().map(|cell| unguard(&cell.to_text()).to_owned()).collect()
}

/// A second line of headings names parts; it holds no numbers, dates or names of people.
fn reads_like_headings(row: &Row) -> bool {
    let texts = texts(row);
    let filled: Vec<&String> = texts.iter().filter(|text| !text.is_empty()).collect();
    let known = filled.iter().filter(|text| meaning(text).is_some()).count();
    let data = filled.iter().filter(|text| text.chars().filter(char::is_ascii_digit).count() >= 4).count();
    !filled.is_empty() && data == 0 && known * 2 >= filled.len()
}

/// Headings of two lines: the upper one spans the columns to its right until the next.
fn joined(upper: &[String], lower: &[String]) -> Vec<String> {
    let mut group = "";
    (0..upper.len().max(lower.len()))
        .map(|at| {
            let own = upper.get(at).map_or("", String::as_str);
            let part = lower.get(at).map_or("", String::as_str);
            if !own.is_empty() {
                group = own;
            }
            match (part.is_empty(), own.is_empty() && group.is_empty()) {
                (true, _) => own.to_owned(),
                (false, true) => part.to_owned(),
                (false, false) => {
                    let both = format!("{group} {part}");
                    let sure = |text: &str| meaning(text).filter(|(_, confidence)| *confidence >= SURE);
                    // 联系人 + 电话 is 联系人电话; 患者信息 + 姓名 is 姓名.
                    if sure(&both).is_some() || sure(part).is_none() { both } else { part.to_owned() }
                }
            }
        })
        .collect()
}

/// Understands every heading. A field that two columns claim goes to the surer one, the first of equals.
pub fn columns_of(headings: &[String]) -> Vec<Column> {
    let mut columns: Vec<Column> = headings
        .iter()
        .enumerate()
        .filter(|(_, heading)| !heading.trim().is_empty())
        .map(|(index, heading)| {
            let (field, confidence) = meaning(heading).map_or((None, 0), |(field, sure)| (Some(field), sure));
            Column { index, heading: heading.trim().to_owned(), field, confidence }
        })
        .collect();
    name_the_owner(&mut columns);
    let mut holder: HashMap<Field, usize> = HashMap::new();
    for at in 0..columns.len() {
        let Some(field) = columns[at].field.filter(|field| !field.takes_many_columns()) else { continue };
        match holder.get(&field).copied() {
            Some(other) if columns[other].confidence >= columns[at].confidence => {
                drop_claim(&mut columns[at])
            }
            Some(other) => {
                drop_claim(&mut columns[other]);
                holder.insert(field, at);
            }
            None => {
                holder.insert(field, at);
            }
        }
    }
    columns
}

fn drop_claim(column: &mut Column) {
    column.field = None;
    column.confidence = 0;
}

/// `联系人, 关系, 电话`: a telephone right after the contact, when the patient has one before, is the contact's.
fn name_the_owner(columns: &mut [Column]) {
    let mut patient_has_one = false;
    let mut after_contact = false;
    let mut contact_has_one = columns.iter().any(|column| column.field == Some(Field::ContactPhone));
    for column in columns.iter_mut() {
        match column.field {
            Some(Field::ContactName | Field::ContactRelation) => after_contact = true,
            Some(Field::Phone) if after_contact && patient_has_one && !contact_has_one => {
                column.field = Some(Field::ContactPhone);
                column.confidence = 85;
                contact_has_one = true;
            }
            Some(Field::Phone) => {
                patient_has_one = true;
                after_contact = false;
            }
            _ => after_contact = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sure(heading: &str) -> Option<Field> {
        meaning(heading).filter(|(_, confidence)| *confidence >= SURE).map(|(field, _)| field)
    }

    #[test]
    fn headings_are_understood_however_they_are_written() {
        for heading in
            ["总费用", "总费用(元)", " 总 费 用 ", "总费用（元）", "ZFY", "zfy", "＊总费用", "总费用:"]
        {
            assert_eq!(sure(heading), Some(Field::TotalFee), "{heading}");
        }
        for (heading, field) in [
            ("BAH", Field::Mrn),
            ("患者姓名", Field::Name),
            ("身份证号码", Field::IdNumber),
            ("出院科别", Field::Department),
            ("联系人电话", Field::ContactPhone),
            ("其他诊断3", Field::OtherDiagnosis),
            ("出院患者姓名", Field::Name),
            ("P25", Field::DischargedAt),
        ] {
            assert_eq!(sure(heading), Some(field), "{heading}");
        }
    }

    #[test]
    fn what_is_not_certain_is_only_a_guess_and_what_is_known_to_be_useless_none() {
        for heading in ["本次住院总费用合计", "诊断(门诊)", "母亲姓名"] {
            assert_eq!(sure(heading), None, "{heading}");
        }
        for heading in ["序号", "备注", "户口地址", "入院科室", ""] {
            assert_eq!(meaning(heading), None, "{heading}");
        }
    }

    #[test]
    fn every_heading_of_the_dictionary_names_a_field() {
        let words = dictionary();
        assert!(words.fields.len() >= 40);
        for (code, headings) in &words.fields {
            let field = Field::from_code(code);
            assert!(field.is_some(), "{code}");
            for heading in headings {
                assert_eq!(meaning(heading), field.map(|field| (field, 100)), "{code} {heading}");
            }
        }
    }

    #[test]
    fn a_field_goes_to_one_column_and_a_telephone_after_the_contact_is_the_contacts() {
        let headings = ["姓名", "患者姓名", "电话", "联系人", "关系", "手机"].map(str::to_owned);
        let fields: Vec<Option<Field>> =
            columns_of(&headings).into_iter().map(|column| column.field).collect();
        assert_eq!(
            fields,
            [
                Some(Field::Name),
                None,
                Some(Field::Phone),
                Some(Field::ContactName),
                Some(Field::ContactRelation),
                Some(Field::ContactPhone)
            ]
        );
    }
}
