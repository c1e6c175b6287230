//! 档案: patients, their phones, encounters, consents and notes; finding them; duplicates and merging.
//!
//! What other features call: [`index_patient`] and [`Indexer`] after writing names, phones, ID numbers or encounters;
//! [`identify`] to learn whether somebody is known; [`person_ids`] to read all facts of a person, merged records
//! included; [`register_death`] and [`set_optout`] when a call brings such news.

pub mod commands;
mod consents;
mod create;
mod duplicates;
mod edit;
mod identity;
mod life;
mod merge;
mod phones;
mod record;
mod reveal;
mod search;
pub mod sheet;
#[cfg(test)]
mod tests;
mod timeline;
mod types;

use rusqlite::Connection;
use uuid::Uuid;

use crate::error::Result;

pub use consents::consent_of;
pub use duplicates::note_suspicion;
pub use identity::{Identity, identify};
pub use life::{Optout, register_death, set_optout};
pub use phones::set_phone_state;
pub use record::{PatientBrief, patient_brief};
pub use search::{
    Indexer, Searchable, find, forget_patient, index_patient, index_patients, rebuild, search_document,
};
pub use types::*;

/// The record that stands for `id` now: itself, or the one it was merged into.
///
/// Errors: `NotFound`.
pub fn kept_id(connection: &Connection, id: Uuid) -> Result<Uuid> {
    let mut at = id;
    // A chain of merges is as long as there were merges; a ring cannot be made, but must not hang.
    for _ in 0..64 {
        let next: Option<Uuid> = connection
            .prepare_cached("SELECT merged_into FROM patient WHERE id = ?1")?
            .query_row([at], |row| row.get("merged_into"))?;
        match next {
            Some(next) => at = next,
            None => break,
        }
    }
    Ok(at)
}

/// A person's records: the kept one first, then every one merged into it. Facts (calls, answers, notes, consents)
/// stay with the record they were made for, so whoever reads a person's facts reads those of all these.
pub fn person_ids(connection: &Connection, id: Uuid) -> Result<Vec<Uuid>> {
    let mut ids = vec![kept_id(connection, id)?];
    let mut at = 0;
    while let Some(id) = ids.get(at).copied() {
        let mut statement =
            connection.prepare_cached("SELECT id FROM patient WHERE merged_into = ?1 ORDER BY id")?;
        for merged in statement.query_map([id], |row| row.get("id"))? {
            let merged = merged?;
            if !ids.contains(&merged) {
                ids.push(merged);
            }
        }
        at += 1;
    }
    Ok(ids)
}

/// A number that names a person, mostly hidden: `110105********0634`.
pub(crate) fn mask_number(number: &str) -> String {
    aftercare_domain::id_number::mask(number)
}

/// The beginning of an address, enough to tell two people apart.
pub(crate) fn mask_address(address: &str) -> String {
    const SHOWN: usize = 6;
    let chars: Vec<char> = address.chars().collect();
    let shown = SHOWN.min(chars.len() / 2);
    chars[..shown].iter().collect::<String>() + "****"
}
