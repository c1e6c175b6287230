//! Whether a number may be dialled now: what forbids it, what asks for a reason, what is worth knowing.

use chrono::{NaiveDateTime, TimeDelta};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::retry::PhoneState;
use crate::calendar::{Calendar, CallingRule, Certainty, NotNowCode, callable_at};
use crate::plans::Optout;

/// Under this age only the guardian is spoken to (PIPL art. 31).
const GUARDIAN_AGE: u16 = 14;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "GuardCode")]
pub enum FindingCode {
    /// The patient has died.
    Deceased,
    /// The patient refuses calls, or any contact.
    Refused,
    /// Consent to follow-up by phone was withdrawn.
    ConsentWithdrawn,
    /// The record was removed or merged into another.
    RecordGone,
    /// No number to dial.
    NoNumber,
    /// The number does not lead to the patient (空号, 错号, 拒接).
    NumberUnusable,
    /// Nobody answers such a number (service numbers, machine cards).
    NumberNotCallable,
    /// Earlier or later than any call may be made.
    OutsideLimits,
    /// Outside the hospital's calling hours.
    OutsideHours,
    /// A day on which nobody is called.
    Holiday,
    /// The settings leave no calling hours.
    NoHours,
    /// The attempts of the task are used up.
    AttemptsUsedUp,
    /// The last attempt was a short while ago.
    TooSoon,
    /// Another time was agreed or planned.
    NotYet,
    /// The last permitted attempt should be on another day.
    SpreadDays,
    /// Somebody else is working on this patient.
    Claimed,
    /// The number was out of service or switched off lately.
    NumberDoubtful,
    /// A child: speak to the guardian only.
    GuardianOnly,
    /// The days are judged by the week alone: this year's calendar is not known.
    CalendarUnknown,
}

/// One finding with what its message needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "GuardFinding")]
pub struct Finding {
    /// What.
    pub code: FindingCode,
    /// From when on it no longer holds, the hospital's wall clock.
    #[ts(type = "string | null")]
    pub until: Option<NaiveDateTime>,
    /// A count for the message: attempts made, minutes since the last.
    #[ts(type = "number | null")]
    pub count: Option<i64>,
}

/// The guard's answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "GuardVerdict")]
pub struct Verdict {
    /// Forbid the call.
    pub blocks: Vec<Finding>,
    /// Ask for a reason.
    pub warnings: Vec<Finding>,
    /// Worth knowing.
    pub notes: Vec<Finding>,
}

impl Verdict {
    /// Nothing forbids the call and no reason is needed.
    pub fn is_clear(&self) -> bool {
        self.blocks.is_empty() && self.warnings.is_empty()
    }
}

/// What is known of the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhoneFacts {
    /// What was learnt.
    pub state: PhoneState,
    /// A person may answer such a number.
    pub callable: bool,
    /// It is on record as the patient's own.
    pub own: bool,
    /// When its state was learnt.
    pub state_at: Option<NaiveDateTime>,
}

/// What the guard looks at.
#[derive(Debug, Clone)]
pub struct GuardFacts {
    /// Now, the hospital's wall clock.
    pub now: NaiveDateTime,
    /// Death is on record.
    pub deceased: bool,
    /// Refusals.
    pub optout: Optout,
    /// The latest consent to follow-up by phone was withdrawn.
    pub consent_withdrawn: bool,
    /// Removed or merged.
    pub gone: bool,
    /// Full years.
    pub age: Option<u16>,
    /// The number; none when the patient has none.
    pub phone: Option<PhoneFacts>,
    /// A red flag or an expert's answer waits: hours only ask for a reason.
    pub flagged: bool,
    /// Counted attempts of the due tasks, the highest.
    pub attempts: u32,
    /// Different days with attempts for them.
    pub attempt_days: u32,
    /// The last attempt.
    pub last_attempt: Option<NaiveDateTime>,
    /// Planned by the retry policy or agreed.
    pub next_try: Option<NaiveDateTime>,
    /// Somebody else's claim runs.
    pub claimed: bool,
    /// Attempts before a task fails.
    pub max_attempts: u32,
    /// Days they must be spread over.
    pub min_days: u32,
    /// Minutes between attempts.
    pub min_gap_minutes: u32,
}

/// Judges a call.
pub fn guard(facts: &GuardFacts, rule: &CallingRule, calendar: &Calendar) -> Verdict {
    let mut verdict = Verdict::default();
    judge_patient(facts, &mut verdict);
    judge_number(facts, &mut verdict);
    judge_time(facts, rule, calendar, &mut verdict);
    judge_attempts(facts, &mut verdict);
    verdict
}

fn plain(code: FindingCode) -> Finding {
    Finding { code, until: None, count: None }
}

fn judge_patient(facts: &GuardFacts, verdict: &mut Verdict) {
    let found = [
        (facts.deceased, FindingCode::Deceased),
        (facts.optout != Optout::None, FindingCode::Refused),
        (facts.consent_withdrawn, FindingCode::ConsentWithdrawn),
        (facts.gone, FindingCode::RecordGone),
    ];
    verdict.blocks.extend(found.iter().filter(|(holds, _)| *holds).map(|(_, code)| plain(*code)));
    if facts.claimed {
        verdict.warnings.push(plain(FindingCode::Claimed));
    }
}

fn judge_number(facts: &GuardFacts, verdict: &mut Verdict) {
    let Some(phone) = facts.phone else {
        verdict.blocks.push(plain(FindingCode::NoNumber));
        return;
    };
    if !phone.state.is_usable() {
        verdict.blocks.push(plain(FindingCode::NumberUnusable));
    } else if !phone.callable {
        verdict.blocks.push(plain(FindingCode::NumberNotCallable));
    }
    let lately = |days| phone.state_at.is_some_and(|at| facts.now - at < TimeDelta::days(days));
    let doubtful = match phone.state {
        PhoneState::Stopped => lately(7),
        PhoneState::Off | PhoneState::Blocked => lately(1),
        _ => false,
    };
    if doubtful {
        verdict.notes.push(plain(FindingCode::NumberDoubtful));
    }
    if facts.age.is_some_and(|age| age < GUARDIAN_AGE) {
        let finding = plain(FindingCode::GuardianOnly);
        // The child's own number needs a reason; a relative's is what it should be.
        if phone.own { verdict.warnings.push(finding) } else { verdict.notes.push(finding) }
    }
}

fn judge_time(facts: &GuardFacts, rule: &CallingRule, calendar: &Calendar, verdict: &mut Verdict) {
    let (earliest, latest) = rule.limits;
    let time = facts.now.time();
    let certainty = match callable_at(facts.now, rule, calendar) {
        Ok(certainty) => certainty,
        Err(not_now) => {
            let outside_limits = time < earliest || latest <= time;
            let code = match not_now.code {
                _ if outside_limits => FindingCode::OutsideLimits,
                NotNowCode::OutsideHours => FindingCode::OutsideHours,
                NotNowCode::Holiday => FindingCode::Holiday,
                NotNowCode::NoHours => FindingCode::NoHours,
            };
            let finding = Finding { code, until: not_now.next_ok, count: None };
            // A patient in danger may be called at night; a routine call never outside the limits.
            let list =
                if outside_limits && !facts.flagged { &mut verdict.blocks } else { &mut verdict.warnings };
            list.push(finding);
            not_now.certainty
        }
    };
    if certainty == Certainty::BeyondKnownYear {
        verdict.notes.push(plain(FindingCode::CalendarUnknown));
    }
}

fn judge_attempts(facts: &GuardFacts, verdict: &mut Verdict) {
    if facts.flagged {
        return;
    }
    let counted = |code, count: i64| Finding { code, until: None, count: Some(count) };
    if facts.attempts >= facts.max_attempts && facts.attempt_days >= facts.min_days {
        verdict.warnings.push(counted(FindingCode::AttemptsUsedUp, i64::from(facts.attempts)));
    }
    if let Some(next) = facts.next_try.filter(|next| *next > facts.now) {
        verdict.warnings.push(Finding { code: FindingCode::NotYet, until: Some(next), count: None });
        return;
    }
    let Some(last) = facts.last_attempt else { return };
    let gap = TimeDelta::minutes(i64::from(facts.min_gap_minutes));
    // A retry that the policy planned for now is not too soon, whatever the gap says.
    if facts.next_try.is_none() && facts.now - last < gap {
        verdict.warnings.push(Finding {
            code: FindingCode::TooSoon,
            until: Some(last + gap),
            count: Some((facts.now - last).num_minutes()),
        });
    }
    let last_permitted = facts.attempts + 1 >= facts.max_attempts && facts.attempts > 0;
    if last_permitted && facts.attempt_days < facts.min_days && last.date() == facts.now.date() {
        verdict.warnings.push(counted(FindingCode::SpreadDays, i64::from(facts.attempts)));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::calendar::{CallingDays, parse_hours};

    fn at(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
    }

    fn judge(facts: &GuardFacts) -> (Vec<FindingCode>, Vec<FindingCode>, Vec<FindingCode>) {
        let rule = CallingRule {
            hours: vec![parse_hours("09:00-12:00").unwrap(), parse_hours("14:00-17:30").unwrap()],
            limits: parse_hours("08:00-20:00").unwrap(),
            days: CallingDays::WorkingDays,
        };
        let verdict = guard(facts, &rule, Calendar::shipped());
        let codes = |list: &[Finding]| list.iter().map(|finding| finding.code).collect();
        (codes(&verdict.blocks), codes(&verdict.warnings), codes(&verdict.notes))
    }

    /// A grown-up with a good number, on Monday morning.
    fn usual() -> GuardFacts {
        GuardFacts {
            now: at("2026-11-16 09:30"),
            deceased: false,
            optout: Optout::None,
            consent_withdrawn: false,
            gone: false,
            age: Some(60),
            phone: Some(PhoneFacts { state: PhoneState::Unknown, callable: true, own: true, state_at: None }),
            flagged: false,
            attempts: 0,
            attempt_days: 0,
            last_attempt: None,
            next_try: None,
            claimed: false,
            max_attempts: 3,
            min_days: 2,
            min_gap_minutes: 120,
        }
    }

    #[test]
    fn a_usual_call_is_clear() {
        assert_eq!(judge(&usual()), (vec![], vec![], vec![]));
    }

    #[test]
    fn the_dead_and_those_who_refused_are_never_called() {
        let facts = GuardFacts {
            deceased: true,
            optout: Optout::Phone,
            consent_withdrawn: true,
            flagged: true,
            ..usual()
        };
        let expected = vec![FindingCode::Deceased, FindingCode::Refused, FindingCode::ConsentWithdrawn];
        assert_eq!(judge(&facts).0, expected);
    }

    #[test]
    fn at_noon_a_reason_is_asked_at_night_only_a_red_flag_may_call() {
        let noon = GuardFacts { now: at("2026-11-16 12:30"), ..usual() };
        assert_eq!(judge(&noon).1, [FindingCode::OutsideHours]);
        let night = GuardFacts { now: at("2026-11-16 21:30"), ..usual() };
        assert_eq!(judge(&night).0, [FindingCode::OutsideLimits]);
        let flagged = GuardFacts { flagged: true, ..night };
        assert_eq!(judge(&flagged), (vec![], vec![FindingCode::OutsideLimits], vec![]));
        let sunday = GuardFacts { now: at("2026-11-15 10:00"), ..usual() };
        assert_eq!(judge(&sunday).1, [FindingCode::Holiday]);
    }

    #[test]
    fn beyond_the_last_known_calendar_it_says_so() {
        let facts = GuardFacts { now: at("2027-03-01 10:00"), ..usual() };
        assert_eq!(judge(&facts).2, [FindingCode::CalendarUnknown]);
    }

    #[test]
    fn attempts_are_spread_and_not_too_many() {
        let hour_ago = GuardFacts {
            attempts: 1,
            attempt_days: 1,
            last_attempt: Some(at("2026-11-16 09:00")),
            ..usual()
        };
        assert_eq!(judge(&hour_ago).1, [FindingCode::TooSoon]);
        let planned = GuardFacts { next_try: Some(at("2026-11-16 09:30")), ..hour_ago.clone() };
        assert!(judge(&planned).1.is_empty());
        let early = GuardFacts { next_try: Some(at("2026-11-16 15:00")), ..hour_ago.clone() };
        assert_eq!(judge(&early).1, [FindingCode::NotYet]);
        let third = GuardFacts { attempts: 2, next_try: Some(at("2026-11-16 09:30")), ..hour_ago };
        assert_eq!(judge(&third).1, [FindingCode::SpreadDays]);
        let worn = GuardFacts { attempts: 3, attempt_days: 2, ..usual() };
        assert_eq!(judge(&worn).1, [FindingCode::AttemptsUsedUp]);
    }

    #[test]
    fn of_a_child_only_the_guardian_is_called() {
        let own = GuardFacts { age: Some(9), ..usual() };
        assert_eq!(judge(&own).1, [FindingCode::GuardianOnly]);
        let mother = PhoneFacts { own: false, state: PhoneState::Good, callable: true, state_at: None };
        let facts = GuardFacts { phone: Some(mother), ..own };
        assert_eq!(judge(&facts), (vec![], vec![], vec![FindingCode::GuardianOnly]));
    }
}
