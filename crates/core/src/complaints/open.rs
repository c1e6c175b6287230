//! One complaint with everything that belongs to it.

use aftercare_domain::complaint::{ComplaintKind, ComplaintStatus, RULES, allowed};
use chrono::Days;
use rusqlite::{Connection, types::Value};
use uuid::Uuid;

use super::people::Names;
use super::store::{self, ITEM_COLUMNS};
use super::viewer::Viewer;
use super::{Detail, Offer, content, list, notes, similar, steps, when};
use crate::app::Ctx;
use crate::error::Result;

/// Reads a complaint.
///
/// # Errors
/// `NotFound`, also when it is not for this person.
pub(super) fn detail(ctx: &Ctx, connection: &Connection, id: Uuid) -> Result<Detail> {
    let viewer = Viewer::of(ctx, connection)?;
    let stored = store::load(connection, id, &viewer)?;
    let names = Names::load(connection)?;
    let today = ctx.local_now().date();
    let sql = format!("SELECT {ITEM_COLUMNS} FROM complaint WHERE id = ?");
    let mut found = list::items(connection, &sql, vec![Value::Blob(id.as_bytes().to_vec())], today)?;
    let item = found.pop().ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let (form, receipt, handling) = store::parts(connection, id, &names)?;
    let (steps, chain) = steps::all(connection, id, &names)?;
    let is_complaint = stored.state.kind == ComplaintKind::Complaint;
    let (_, signal) = if is_complaint {
        similar::is_signal(connection, &item.departments, &item.category, today)?
    } else {
        (0, false)
    };
    let offered = RULES.iter().filter(|rule| rule.from.contains(&stored.state.status));
    let moves = offered
        .filter(|rule| is_complaint || rule.every_kind)
        .map(|rule| {
            let verdict = allowed(&stored.state, rule.kind, &viewer.actor(), today);
            Offer {
                kind: rule.kind,
                allowed: verdict.is_ok(),
                why: verdict.err().map(|why| why.code().to_owned()),
                who: rule.who.to_vec(),
            }
        })
        .collect();
    let revisit = match (stored.state.status, handling.ended_at, content()?.severity(&item.severity)) {
        (ComplaintStatus::Closed, Some(ended_at), Some(severity)) if severity.revisit && is_complaint => {
            let rule = content()?.revisit;
            let day = |days: u32| {
                let on = when::day(ended_at).checked_add_days(Days::new(u64::from(days)));
                on.map(|on| on.to_string()).unwrap_or_default()
            };
            Some([day(rule.from_days), day(rule.to_days)])
        }
        _ => None,
    };
    Ok(Detail {
        moves,
        steps,
        chain,
        seen_step: stored.last_step,
        notes: notes::of(connection, id, &names)?,
        promises: notes::promises(connection, id, &names, today)?,
        similar: if is_complaint { similar::of(connection, &viewer, id, today)? } else { Vec::new() },
        signal,
        revisit,
        item,
        form,
        receipt,
        handling,
    })
}
