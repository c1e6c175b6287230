//! Results: the whole, dimensions, departments, doctors, months.

use aftercare_domain::forms::LocalText;
use aftercare_domain::survey::{Measures, loyalty, wilson};
use chrono::Months;
use rusqlite::{Connection, params};

use super::{
    By, Figures, Group, Loyalty, LoyaltyRequest, ResultsRequest, ResultsResponse, Scope, figures, form,
    viewer,
};
use crate::app::Ctx;
use crate::error::Result;
use crate::settings::{self, Settings};

/// Most doctors of one answer.
const MOST_DOCTORS: usize = 200;

/// What follows from sums.
pub(super) fn figures_of(measures: Measures, settings: &Settings) -> Figures {
    Figures {
        score: measures.score(settings.survey_scale),
        satisfied: measures.satisfied(),
        nps: measures.nps(),
        come_back: measures.return_rate(),
        small: measures.valid < i64::from(settings.survey_min_n),
        measures,
    }
}

/// The results of a scope.
///
/// # Errors
/// `Invalid` with the scope's fields, `Forbidden` for another department.
pub fn results(ctx: &Ctx, request: ResultsRequest) -> Result<ResultsResponse> {
    ctx.read(|connection| {
        let scope = viewer::scope(ctx, connection, &request.scope)?;
        of(connection, &scope)
    })
}

/// The results of a checked scope.
pub(super) fn of(connection: &Connection, scope: &Scope) -> Result<ResultsResponse> {
    let settings = settings::load(connection)?;
    let invited = figures::invited(connection, scope)?;
    let mut doctors = ranked(figures::measures_by(connection, scope, By::Doctor)?, &settings);
    doctors.truncate(MOST_DOCTORS);
    let months = figures::measures_by(connection, scope, By::Month)?;
    Ok(ResultsResponse {
        scale: settings.survey_scale,
        min_n: settings.survey_min_n,
        whole: figures_of(figures::measures(connection, scope)?, &settings),
        invited: invited.invited,
        answered: invited.answered,
        response: wilson(invited.answered, invited.invited),
        dimensions: dimensions(connection, scope, &settings)?,
        departments: ranked(figures::measures_by(connection, scope, By::Department)?, &settings),
        doctors,
        months: months.into_iter().map(|(key, sums)| group(key, sums, &settings)).collect(),
    })
}

fn group(key: String, sums: Measures, settings: &Settings) -> Group {
    Group { key, name: LocalText::default(), figures: figures_of(sums, settings), rank: None }
}

/// Best first; small groups follow without a place, most sheets first.
fn ranked(groups: Vec<(String, Measures)>, settings: &Settings) -> Vec<Group> {
    let mut groups: Vec<Group> = groups.into_iter().map(|(key, sums)| group(key, sums, settings)).collect();
    groups.sort_by(|a, b| {
        let value = |group: &Group| group.figures.score.map_or(f64::MIN, |score| score.value);
        let by_score = || value(b).total_cmp(&value(a));
        let by_size = || b.figures.measures.valid.cmp(&a.figures.measures.valid);
        let small = a.figures.small.cmp(&b.figures.small);
        small
            .then_with(|| if a.figures.small { by_size() } else { by_score() })
            .then_with(|| a.key.cmp(&b.key))
    });
    let mut last: Option<(f64, u32)> = None;
    for (place, group) in (1_u32..).zip(groups.iter_mut()) {
        let Some(score) = group.figures.score.filter(|_| !group.figures.small) else { continue };
        let rank = match last {
            Some((value, rank)) if value.total_cmp(&score.value).is_eq() => rank,
            _ => place,
        };
        last = Some((score.value, rank));
        group.rank = Some(rank);
    }
    groups
}

/// In the order of the questionnaires in use; a dimension that none of them has any more comes last.
fn dimensions(connection: &Connection, scope: &Scope, settings: &Settings) -> Result<Vec<Group>> {
    let found = figures::measures_by(connection, scope, By::Dimension)?;
    let mut known: Vec<(String, LocalText)> = Vec::new();
    for one in form::questionnaires(connection)? {
        if scope.kind.is_some() && one.kind.is_some() && one.kind != scope.kind {
            continue;
        }
        for section in one.form.sections {
            if !known.iter().any(|(code, _)| *code == section.code) {
                known.push((section.code, section.title));
            }
        }
    }
    let place = |code: &str| known.iter().position(|(known, _)| known == code);
    let mut groups: Vec<Group> = found
        .into_iter()
        .map(|(code, sums)| {
            let name = place(&code).and_then(|at| known.get(at)).map(|(_, name)| name.clone());
            Group { name: name.unwrap_or_default(), ..group(code, sums, settings) }
        })
        .collect();
    groups.sort_by_key(|group| place(&group.key).unwrap_or(usize::MAX));
    Ok(groups)
}

/// 忠诚度指数 of a scope with its parts.
///
/// # Errors
/// As [`results`].
pub fn loyalty_of(ctx: &Ctx, request: LoyaltyRequest) -> Result<Loyalty> {
    ctx.read(|connection| {
        let scope = viewer::scope(ctx, connection, &request.scope)?;
        let settings = settings::load(connection)?;
        let whole = figures_of(figures::measures(connection, &scope)?, &settings);
        let year = Months::new(12);
        let (from, to) = (scope.from - year, scope.to - year);
        let (observed, retained): (i64, i64) =
            connection.prepare_cached(include_str!("sql/retained.sql"))?.query_row(
                params![from.to_string(), to.to_string(), scope.department, scope.doctor],
                |row| Ok((row.get("observed")?, row.get("retained")?)),
            )?;
        let nps = whole.nps.map(|nps| nps.value);
        let come_back = whole.come_back.map(|rate| rate.value);
        let kept = wilson(retained, observed).map(|rate| rate.value);
        Ok(Loyalty {
            index: loyalty(nps, come_back, kept, settings.survey_loyalty),
            weights: settings.survey_loyalty,
            observed,
            retained,
            nps,
            come_back,
        })
    })
}
