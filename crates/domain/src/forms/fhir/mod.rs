//! FHIR R4 Questionnaire and QuestionnaireResponse: export, import, validation.
//!
//! What FHIR has a word for is written in FHIR's words, so that other programs ask the same questions: items,
//! groups, options with `ordinalValue`, limits, units, `enableWhen` where a condition is of that simple kind.
//! Everything else travels in extensions under [`model::OWN`], so that our own file reads back equal; what another
//! program will not understand, or what a foreign file says that this program has no place for, is listed as
//! [`NotCarried`] and never dropped silently.
//!
//! Sources: hl7.org/fhir/R4/questionnaire.html, questionnaireresponse.html (4.0.1), and the extensions named in
//! [`model`].

mod condition;
mod convert;
mod enabled;
mod export;
mod export_item;
#[cfg(test)]
mod fuzz_tests;
mod import;
mod model;
mod note;
mod own;
mod read;
mod response;
#[cfg(test)]
mod sample_tests;
#[cfg(test)]
mod tests;
mod validate;
mod value;

pub use export::{Exported, export_form, export_plan};
pub use import::{Document, Imported, import};
pub use model::{FhirError, NOT_CARRIED_CODES, NotCarried, parse};
pub use response::{ReadResponse, export_response, read_response};
pub use validate::{RESPONSE_CODES, ResponseFault, validate, validate_text};
