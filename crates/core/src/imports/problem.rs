//! What was wrong with a row, a field or a cell: a code, where, and what the message needs.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fields::Field;

macro_rules! problem_codes {
    ($($(#[doc = $doc:literal])+ $name:ident => $text:literal $weight:ident;)+) => {
        /// What can be wrong. Each has a message in `assets/locales/*/imports.json` that says what to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        // A code that is unknown and a code of a diagnosis are what they are called.
        #[allow(clippy::enum_variant_names)]
        pub enum Code {
            $($(#[doc = $doc])+ #[serde(rename = $text)] $name,)+
        }

        impl Code {
            /// Every code.
            #[cfg(test)]
            pub const ALL: &'static [Code] = &[$(Code::$name,)+];

            /// The word for it in results and locale files.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)+ }
            }

            /// Whether a row with it is left in the file.
            pub fn weight(self) -> Weight {
                match self { $(Code::$name => Weight::$weight,)+ }
            }
        }
    };
}

/// What a problem does to its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// The row is imported; what is told is worth a look.
    Warning,
    /// The row is not imported.
    Rejection,
    /// The row is no data.
    LeftOut,
}

problem_codes! {
    // Rows that are no data
    /// A title above or between the data.
    TitleRow => "title_row" LeftOut;
    /// The headings once more, as at the top of a printed page.
    RepeatedHeading => "repeated_heading" LeftOut;
    /// A sum or an average.
    TotalRow => "total_row" LeftOut;
    /// Who made the table and when.
    FooterRow => "footer_row" LeftOut;
    /// Nothing but a running number.
    BlankRow => "blank_row" LeftOut;

    // Rows that cannot be imported
    /// No hospital number, stay number or ID number that could be used.
    NoIdentity => "no_identity" Rejection;
    /// No name.
    NoName => "no_name" Rejection;
    /// The name, or a number that says who it is, has characters that were lost.
    IdentityUndecodable => "identity_undecodable" Rejection;
    /// Left before coming.
    DischargeBeforeAdmission => "discharge_before_admission" Rejection;
    /// A day too far in the future.
    DateInFuture => "date_in_future" Rejection;
    /// A discharge date that cannot be read.
    DischargeUnreadable => "discharge_unreadable" Rejection;
    /// The hospital number belongs to another person here.
    MrnOfAnother => "mrn_of_another" Rejection;
    /// The ID number belongs to another person here.
    IdOfAnother => "id_of_another" Rejection;

    // Fields that were left empty
    /// A spreadsheet rounded the number; digits are gone.
    PrecisionLost => "precision_lost" Warning;
    /// Not a valid ID number.
    IdInvalid => "id_invalid" Warning;
    /// The same digit over and over.
    Placeholder => "placeholder" Warning;
    /// The ID number of the mother or another relative.
    IdOfRelative => "id_of_relative" Warning;
    /// Not a telephone number.
    PhoneInvalid => "phone_invalid" Warning;
    /// A local number, and the hospital's area code is not set.
    PhoneNeedsAreaCode => "phone_needs_area_code" Warning;
    /// Not a date.
    DateUnreadable => "date_unreadable" Warning;
    /// Day and month could be exchanged.
    DateAmbiguous => "date_ambiguous" Warning;
    /// Not a number.
    NumberUnreadable => "number_unreadable" Warning;
    /// A word that no code table knows.
    CodeUnknown => "code_unknown" Warning;
    /// Not an ICD-10 code.
    DiagnosisCodeInvalid => "diagnosis_code_invalid" Warning;
    /// Characters that were lost before or in this file.
    CellUndecodable => "cell_undecodable" Warning;
    /// An error value of a spreadsheet, such as #N/A.
    CellError => "cell_error" Warning;
    /// Longer than such a value can be; cut.
    CellTooLong => "cell_too_long" Warning;

    // Values that were repaired or chosen
    /// The row is in another encoding than the file; it was read with that.
    OtherEncoding => "other_encoding" Warning;
    /// Leading zeros were put back.
    ZerosRestored => "zeros_restored" Warning;
    /// Leading zeros may be missing.
    ZerosMissing => "zeros_missing" Warning;
    /// The 0 of the area code, or the hospital's area code, was put before the number.
    PhoneRepaired => "phone_repaired" Warning;
    /// Date of birth and ID number differ; the ID number was used.
    BirthContradictsId => "birth_contradicts_id" Warning;
    /// Sex and ID number differ; the ID number was used.
    SexContradictsId => "sex_contradicts_id" Warning;
    /// Discharge lies a little in the future.
    DischargePlanned => "discharge_planned" Warning;
    /// There is no discharge date, so no follow-up begins.
    DischargeMissing => "discharge_missing" Warning;

    // What the archive already knows
    /// Somebody at the desk changed this field; their value stays.
    DeskValueKept => "desk_value_kept" Warning;
    /// The archive has a different name for this person; it was updated.
    NameChanged => "name_changed" Warning;
    /// The ID number leads to a person whose name differs; the name stays.
    NameDiffers => "name_differs" Warning;
    /// The ID number is a new one for this hospital number; kept apart as a suspected duplicate.
    IdChanged => "id_changed" Warning;
    /// The person has another hospital number already; that stays.
    MrnDiffers => "mrn_differs" Warning;
    /// The number of the stay is used for another person as well.
    VisitNoShared => "visit_no_shared" Warning;
    /// The archive says the person has died, the row does not; death stays.
    DeathKept => "death_kept" Warning;
    /// A new person who may be one that is already here.
    SuspectedDuplicate => "suspected_duplicate" Warning;

    // The result itself
    /// There are more of these than are listed here; the report has all.
    MoreNotListed => "more_not_listed" Warning;
}

/// One problem of one row. Holds no value of the patient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// Where; none when it concerns the row as a whole.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<Field>,
    /// What.
    pub code: Code,
    /// What the message needs: numbers, codes, headings.
    #[serde(skip_serializing_if = "Map::is_empty", default)]
    pub params: Map<String, Value>,
}

impl Problem {
    /// A problem of the row as a whole.
    pub fn of_row(code: Code) -> Self {
        Self { field: None, code, params: Map::new() }
    }

    /// A problem of one field.
    pub fn of(field: Field, code: Code) -> Self {
        Self { field: Some(field), code, params: Map::new() }
    }

    /// Adds what the message needs. Never a value of the patient.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    /// The field's word, `row` for the row as a whole.
    pub fn field_code(&self) -> &'static str {
        self.field.map_or("row", Field::code)
    }
}
