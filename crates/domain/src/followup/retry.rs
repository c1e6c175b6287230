//! What follows from a call that brought no response.

use chrono::{Days, NaiveDateTime, NaiveTime, TimeDelta};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::calendar::{Calendar, CallingRule, callable_at};
use crate::plans::{FailureReason, OutcomeAction, RetryDelay};

/// Days by which the tasks of a patient who is in hospital again are put off. No rule gives a number:
/// by then the new stay is usually over or its discharge has been imported.
const IN_HOSPITAL_DAYS: u16 = 7;

/// What is known of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PhoneState {
    /// Nothing yet.
    Unknown,
    /// Somebody connected with the patient answered.
    Good,
    /// 空号.
    Empty,
    /// 停机.
    Stopped,
    /// 关机.
    Off,
    /// A stranger's.
    Wrong,
    /// 拒接: calls to it are refused.
    Refused,
    /// Our calls are intercepted.
    Blocked,
}

impl PhoneState {
    const ALL: [Self; 8] = [
        Self::Unknown,
        Self::Good,
        Self::Empty,
        Self::Stopped,
        Self::Off,
        Self::Wrong,
        Self::Refused,
        Self::Blocked,
    ];

    /// The word stored in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Good => "good",
            Self::Empty => "empty",
            Self::Stopped => "stopped",
            Self::Off => "off",
            Self::Wrong => "wrong",
            Self::Refused => "refused",
            Self::Blocked => "blocked",
        }
    }

    /// Reads the stored word; what this version does not know is `Unknown`.
    pub fn parse(word: &str) -> Self {
        Self::ALL.into_iter().find(|state| state.as_str() == word).unwrap_or(Self::Unknown)
    }

    /// Whether the number may still lead to the patient.
    pub fn is_usable(self) -> bool {
        !matches!(self, Self::Empty | Self::Wrong | Self::Refused)
    }
}

/// The hospital's settings and calendar for retries.
#[derive(Debug, Clone, Copy)]
pub struct PolicyInForce<'a> {
    /// Counted attempts before a task fails.
    pub max_attempts: u32,
    /// They must lie on at least so many days.
    pub min_days: u32,
    /// After so many failures of one number, the next one.
    pub next_number_after: u32,
    /// When calls are made.
    pub rule: &'a CallingRule,
    /// Days off.
    pub calendar: &'a Calendar,
}

/// The call that has just ended, and those before it.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// Now, the hospital's wall clock.
    pub now: NaiveDateTime,
    /// Counted attempts of the task before this one.
    pub attempts_before: u32,
    /// Different days with an attempt, today included.
    pub days: u32,
    /// What was agreed with whoever answered.
    pub appointment: Option<NaiveDateTime>,
    /// Failures of this number in a row, this one included.
    pub number_failures: u32,
    /// The patient has another number that may work.
    pub other_number: bool,
}

/// What follows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// Whether it counts as an attempt.
    pub counts: bool,
    /// Not to be called before; none with `ends` none: at once (another number).
    pub next_try: Option<NaiveDateTime>,
    /// The task fails, for this reason: a failure reason's code or `max_attempts`.
    pub ends: Option<String>,
    /// What was learnt of the number.
    pub phone: Option<PhoneState>,
    /// Dial the next number first from now on.
    pub next_number: bool,
    /// The patient refuses all calls.
    pub refuses_calls: bool,
    /// The patient has died.
    pub deceased: bool,
    /// Put the due days off by so many days.
    pub shift_days: Option<u16>,
}

/// The end reason of a task whose attempts are used up.
pub const MAX_ATTEMPTS: &str = "max_attempts";

/// Whether somebody was spoken to for at least some seconds: what "connected" counts.
pub fn is_reached(reason: Option<&str>) -> bool {
    reason.is_none_or(|code| {
        matches!(
            code,
            "NOTCONV" | "OTHERP" | "REF1" | "REFALL" | "LANG" | "DEAD" | "INHOSP" | "MOVED" | "WRONG"
        )
    })
}

/// What follows from a call that ended for `reason`.
pub fn after_attempt(attempt: &Attempt, reason: &FailureReason, policy: &PolicyInForce<'_>) -> Decision {
    let does = |action| reason.actions.contains(&action);
    let mut decision = Decision { counts: reason.counts, phone: phone_state(reason), ..Decision::default() };
    if does(OutcomeAction::MarkDeceased) {
        return Decision { deceased: true, ends: Some(reason.code.clone()), ..decision };
    }
    if does(OutcomeAction::RefusePhone) {
        return Decision { refuses_calls: true, ends: Some(reason.code.clone()), ..decision };
    }
    if does(OutcomeAction::CloseTask) {
        return Decision { ends: Some(reason.code.clone()), ..decision };
    }
    let worn_out = attempt.number_failures >= policy.next_number_after;
    decision.next_number = attempt.other_number && (reason.is_final || worn_out);
    if reason.is_final {
        // The number leads nowhere: another one at once, or nothing is left to dial.
        decision.ends = (!attempt.other_number).then(|| reason.code.clone());
    }
    let used_up = attempt.attempts_before + u32::from(reason.counts) >= policy.max_attempts;
    let spread = attempt.days >= policy.min_days;
    let agreed = reason.retry.kind == RetryDelay::AsAgreed && attempt.appointment.is_some();
    if used_up && spread && !agreed && reason.retry.kind != RetryDelay::AfterDischarge {
        decision.ends.get_or_insert_with(|| MAX_ATTEMPTS.to_owned());
    }
    if decision.ends.is_some() || reason.is_final {
        return decision;
    }
    plan_retry(attempt, reason, policy, used_up, decision)
}

fn plan_retry(
    attempt: &Attempt,
    reason: &FailureReason,
    policy: &PolicyInForce<'_>,
    used_up: bool,
    mut decision: Decision,
) -> Decision {
    let does = |action| reason.actions.contains(&action);
    let amount = reason.retry.amount.unwrap_or(1);
    decision.next_try = match reason.retry.kind {
        // Every try so far was on one day: the last one comes on another.
        RetryDelay::NextSlot | RetryDelay::AfterMinutes if used_up => {
            Some(another_day(attempt.now, 1, policy))
        }
        RetryDelay::NextSlot => Some(next_slot(attempt.now, policy)),
        RetryDelay::AfterMinutes => {
            Some(allowed_from(attempt.now + TimeDelta::minutes(i64::from(amount)), policy))
        }
        RetryDelay::AfterDays => Some(another_day(attempt.now, amount, policy)),
        RetryDelay::AsAgreed => Some(attempt.appointment.unwrap_or_else(|| next_slot(attempt.now, policy))),
        RetryDelay::AfterDischarge => {
            decision.shift_days = Some(IN_HOSPITAL_DAYS);
            Some(another_day(attempt.now, IN_HOSPITAL_DAYS, policy))
        }
        RetryDelay::None if does(OutcomeAction::NeedsNote) => Some(next_slot(attempt.now, policy)),
        RetryDelay::None if does(OutcomeAction::UseRelativeOrVisit) && attempt.other_number => {
            decision.next_number = true;
            Some(next_slot(attempt.now, policy))
        }
        RetryDelay::None => {
            decision.ends = Some(reason.code.clone());
            None
        }
    };
    decision
}

fn phone_state(reason: &FailureReason) -> Option<PhoneState> {
    if reason.actions.contains(&OutcomeAction::MarkNumberInvalid) {
        return Some(PhoneState::Empty);
    }
    if reason.actions.contains(&OutcomeAction::BlockNumber) {
        return Some(PhoneState::Wrong);
    }
    match reason.code.as_str() {
        "STOP" => Some(PhoneState::Stopped),
        "OFF" => Some(PhoneState::Off),
        "BLOCK" => Some(PhoneState::Blocked),
        "REF1" | "REFALL" | "NOTCONV" | "INHOSP" | "DEAD" | "LANG" | "OTHERP" => Some(PhoneState::Good),
        _ => None,
    }
}

/// The first allowed time from `from` on.
fn allowed_from(from: NaiveDateTime, policy: &PolicyInForce<'_>) -> NaiveDateTime {
    match callable_at(from, policy.rule, policy.calendar) {
        Ok(_) => from,
        Err(not_now) => not_now.next_ok.unwrap_or(from),
    }
}

/// The next calling period after the one `now` lies in.
fn next_slot(now: NaiveDateTime, policy: &PolicyInForce<'_>) -> NaiveDateTime {
    let end = policy.rule.hours.iter().find(|(from, to)| *from <= now.time() && now.time() < *to);
    allowed_from(end.map_or(now, |(_, to)| now.date().and_time(*to)), policy)
}

/// So many days later, in the other half of the day when there is one: who did not answer in the
/// morning may in the afternoon.
fn another_day(now: NaiveDateTime, days: u16, policy: &PolicyInForce<'_>) -> NaiveDateTime {
    let date = now.date().checked_add_days(Days::new(u64::from(days))).unwrap_or(now.date());
    let other = policy.rule.hours.iter().find(|(from, to)| !(*from <= now.time() && now.time() < *to));
    let time = other.or_else(|| policy.rule.hours.first()).map_or(NaiveTime::MIN, |(from, _)| *from);
    allowed_from(date.and_time(time), policy)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::calendar::{CallingDays, parse_hours};
    use crate::plans::Content;

    fn at(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
    }

    fn decide(code: &str, attempt: Attempt) -> Decision {
        let content = Content::shipped().unwrap();
        let reason =
            content.failure_reasons.reasons.iter().find(|reason| reason.code == code).unwrap().clone();
        let rule = CallingRule {
            hours: vec![parse_hours("09:00-12:00").unwrap(), parse_hours("14:00-17:30").unwrap()],
            limits: parse_hours("08:00-20:00").unwrap(),
            days: CallingDays::WorkingDays,
        };
        let policy = PolicyInForce {
            max_attempts: 3,
            min_days: 2,
            next_number_after: 2,
            rule: &rule,
            calendar: Calendar::shipped(),
        };
        after_attempt(&attempt, &reason, &policy)
    }

    /// The first call on Monday 2026-11-16 at 09:30, with one number.
    fn first() -> Attempt {
        Attempt {
            now: at("2026-11-16 09:30"),
            attempts_before: 0,
            days: 1,
            appointment: None,
            number_failures: 1,
            other_number: false,
        }
    }

    #[test]
    fn no_answer_is_tried_again_in_the_next_calling_period() {
        assert_eq!(decide("NOANS", first()).next_try, Some(at("2026-11-16 14:00")));
        let friday_afternoon = Attempt { now: at("2026-11-20 16:00"), ..first() };
        assert_eq!(decide("NOANS", friday_afternoon).next_try, Some(at("2026-11-23 09:00")));
        assert_eq!(decide("BUSY", first()).next_try, Some(at("2026-11-16 10:00")));
        assert_eq!(decide("OFF", first()).next_try, Some(at("2026-11-17 14:00")));
    }

    #[test]
    fn the_last_try_comes_on_another_day_and_then_the_task_fails() {
        let third_today = Attempt { attempts_before: 2, now: at("2026-11-16 16:00"), ..first() };
        let decision = decide("NOANS", third_today);
        assert_eq!((decision.ends, decision.next_try), (None, Some(at("2026-11-17 09:00"))));
        let next_day = Attempt { attempts_before: 3, days: 2, now: at("2026-11-17 09:10"), ..first() };
        assert_eq!(decide("NOANS", next_day).ends.as_deref(), Some(MAX_ATTEMPTS));
    }

    #[test]
    fn an_empty_number_ends_the_task_only_when_there_is_no_other() {
        let alone = decide("EMPTY", first());
        assert_eq!((alone.ends.as_deref(), alone.phone), (Some("EMPTY"), Some(PhoneState::Empty)));
        let other = decide("EMPTY", Attempt { other_number: true, ..first() });
        assert!(other.ends.is_none() && other.next_number && other.next_try.is_none());
    }

    #[test]
    fn a_death_a_refusal_and_an_appointment_are_taken_at_their_word() {
        assert!(decide("DEAD", first()).deceased);
        assert!(decide("REFALL", first()).refuses_calls);
        assert!(!decide("REF1", first()).refuses_calls);
        let agreed =
            Attempt { attempts_before: 5, days: 3, appointment: Some(at("2026-11-18 15:30")), ..first() };
        let decision = decide("NOTCONV", agreed);
        assert_eq!((decision.ends, decision.next_try), (None, Some(at("2026-11-18 15:30"))));
        assert!(!decide("NONUM", first()).counts);
        assert_eq!(decide("INHOSP", first()).shift_days, Some(IN_HOSPITAL_DAYS));
    }

    #[test]
    fn after_two_failures_of_a_number_the_next_one_is_dialled() {
        let second = Attempt { number_failures: 2, attempts_before: 1, other_number: true, ..first() };
        assert!(decide("NOANS", second).next_number);
        assert!(!decide("NOANS", Attempt { number_failures: 1, ..second }).next_number);
    }
}
