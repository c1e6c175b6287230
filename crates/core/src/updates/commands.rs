//! Where updates stand, and looking for one.

use aftercare_sync::updates::{Manifest, PLATFORM, parse};

use super::fetch::{Source, choose, fetch};
use super::place::{Place, State};
use super::{LookRequest, Ready, Status, StatusRequest, VERSION};
use crate::app::Ctx;
use crate::app::jobs::{self, Progress};
use crate::error::Result;
use crate::settings::JobStarted;

/// The server is asked by itself this often.
const EVERY_MILLIS: i64 = 6 * 3600 * 1000;

/// Where updates stand.
pub fn status(ctx: &Ctx, _: StatusRequest) -> Result<Status> {
    let state = Place::of(&ctx.app.home).state();
    Ok(Status {
        version: VERSION.to_owned(),
        possible: is_possible(ctx)?,
        ready: state.ready.as_ref().and_then(|offer| parse(&offer.manifest)).map(Ready::from),
        gone_back: state.gone_back,
        problem: state.problem,
        looked_at: state.looked_at,
    })
}

/// Looks for a new version and fetches it, as a job; it ends with the status.
///
/// # Errors
/// `SyncNotEnrolled`.
pub fn look(ctx: &Ctx, _: LookRequest) -> Result<JobStarted> {
    let line = crate::sync::line(ctx)?;
    let id = jobs::start(ctx, "updates_look", move |ctx, progress| {
        run(ctx, &*line, progress)?;
        status(ctx, StatusRequest {})
    })?;
    Ok(JobStarted { id })
}

fn is_possible(ctx: &Ctx) -> Result<bool> {
    let enrolled = crate::sync::is_enrolled(ctx)?;
    Ok(enrolled && !PLATFORM.is_empty() && !ctx.app.env.release_keys.is_empty())
}

/// Looks, fetches and notes what came of it.
pub(super) fn run(ctx: &Ctx, source: &impl Source, progress: &Progress) -> Result<()> {
    let place = Place::of(&ctx.app.home);
    let found = find(ctx, source, &place, progress);
    // What was said meanwhile at the closing of another window is kept.
    let mut state = place.state();
    state.looked_at = Some(ctx.now().timestamp_millis());
    state.problem = found.as_ref().err().map(|error| error.code.as_str().to_owned());
    if let Ok(offer) = &found {
        state.ready.clone_from(offer);
    }
    place.save(&state)?;
    ctx.app.emit_changed(&std::collections::BTreeSet::from(["updates"]));
    found.map(|_| ())
}

fn find(
    ctx: &Ctx,
    source: &impl Source,
    place: &Place,
    progress: &Progress,
) -> Result<Option<aftercare_sync::updates::Offer>> {
    let State { gone_back, .. } = place.state();
    let offers = source.offers(PLATFORM)?;
    let Some((offer, manifest)) = choose(offers, &ctx.app.env.release_keys, gone_back.as_deref())? else {
        return Ok(None);
    };
    fetch(source, place, &manifest, progress)?;
    Ok(Some(offer))
}

/// After a round with the server: a look, if the last one is long ago. What goes wrong is noted for the page.
pub(crate) fn after_round(ctx: &Ctx) {
    let now = ctx.now().timestamp_millis();
    let last = Place::of(&ctx.app.home).state().looked_at.unwrap_or(0);
    if !is_possible(ctx).unwrap_or(false) || (0..EVERY_MILLIS).contains(&(now - last)) {
        return;
    }
    let looked = crate::sync::line(ctx).and_then(|line| run(ctx, &*line, &Progress::unwatched()));
    if let Err(error) = looked {
        tracing::info!(code = error.code.as_str(), "no update");
    }
}

impl From<Manifest> for Ready {
    fn from(manifest: Manifest) -> Self {
        let Manifest { version, notes_zh, notes_en, .. } = manifest;
        Self { version, notes_zh, notes_en }
    }
}
