//! Consent by purpose and channel: facts, of which the latest holds.

use aftercare_domain::error_code::ErrorCode;
use rusqlite::{Connection, params};
use serde_json::json;
use uuid::Uuid;

use super::record::consent;
use super::{ConsentRequest, ConsentState, Record, kept_id, person_ids};
use crate::app::Ctx;
use crate::change_log::CONSENT;
use crate::error::{FieldErrors, Result};
use crate::{audit, followup};

/// What consent may be asked for.
pub(super) const PURPOSES: [&str; 4] = ["care_followup", "caring", "marketing", "research"];
const CHANNELS: [&str; 3] = ["phone", "sms", "web"];
const WAYS: [&str; 4] = ["oral", "paper", "web", "hospital_notice"];
/// Characters of a proof.
const LONGEST_PROOF: usize = 500;

/// The consent that holds for one purpose and channel; `None` when it was never asked for.
pub fn consent_of(
    connection: &Connection,
    patient_id: Uuid,
    purpose: &str,
    channel: &str,
) -> Result<Option<bool>> {
    let ids = person_ids(connection, patient_id)?;
    let all = current(connection, &ids)?;
    Ok(all.into_iter().find(|c| c.purpose == purpose && c.channel == channel).map(|c| c.granted))
}

/// What holds now, over all records of a person. At the same instant a withdrawal is stricter and wins.
pub(super) fn current(connection: &Connection, ids: &[Uuid]) -> Result<Vec<ConsentState>> {
    let mut latest: Vec<ConsentState> = Vec::new();
    let mut statement = connection.prepare_cached(
        "SELECT purpose, channel, granted, given_at, how, proof FROM consent WHERE patient_id = ?1 ORDER BY given_at, id",
    )?;
    for id in ids {
        for found in statement.query_map(params![id], consent)? {
            let found = found?;
            let same = |c: &&mut ConsentState| c.purpose == found.purpose && c.channel == found.channel;
            match latest.iter_mut().find(same) {
                Some(known) if (found.given_at, !found.granted) >= (known.given_at, !known.granted) => {
                    *known = found
                }
                Some(_) => {}
                None => latest.push(found),
            }
        }
    }
    latest.sort_by(|a, b| (&a.purpose, &a.channel).cmp(&(&b.purpose, &b.channel)));
    Ok(latest)
}

/// Records a consent or its withdrawal.
///
/// Errors: `Invalid` with fields, `NotFound`.
pub(super) fn set(ctx: &Ctx, request: &ConsentRequest) -> Result<Record> {
    let mut errors = FieldErrors::default();
    for (field, value, allowed) in [
        ("purpose", &request.purpose, &PURPOSES[..]),
        ("channel", &request.channel, &CHANNELS[..]),
        ("how", &request.how, &WAYS[..]),
    ] {
        if !allowed.contains(&value.as_str()) {
            errors.add(field, ErrorCode::NotAllowed);
        }
    }
    let proof =
        request.proof.as_ref().map(|proof| proof.reveal().trim().to_owned()).filter(|p| !p.is_empty());
    if proof.as_ref().is_some_and(|proof| proof.chars().count() > LONGEST_PROOF) {
        errors.add_with("proof", ErrorCode::TooLong, "max", LONGEST_PROOF);
    }
    errors.check()?;
    let id = ctx.new_id();
    ctx.write(|w| {
        let patient_id = kept_id(w.connection(), request.patient_id)?;
        w.create(
            &CONSENT,
            id,
            &[
                ("patient_id", patient_id.into()),
                ("purpose", request.purpose.as_str().into()),
                ("channel", request.channel.as_str().into()),
                ("granted", request.granted.into()),
                ("given_at", w.now_millis().into()),
                ("how", request.how.as_str().into()),
                ("proof", proof.into()),
                ("user_id", w.user().into()),
            ],
        )?;
        // Who withdraws consent to follow-up leaves the worklist at once.
        followup::refresh_patient(w.connection(), patient_id, w.now_millis())?;
        let detail =
            json!({ "purpose": request.purpose, "channel": request.channel, "granted": request.granted });
        audit::append(
            w.connection(),
            w.now_millis(),
            w.user(),
            "archive.consent",
            Some(patient_id),
            &detail,
        )?;
        super::record::read(w.connection(), patient_id, ctx.local_now().date())
    })
}
