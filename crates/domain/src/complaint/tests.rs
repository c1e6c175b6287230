#![allow(clippy::unwrap_used, clippy::expect_used)]

use chrono::{Days, NaiveDate};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::access::{Permission, Role, permissions_of};
use crate::calendar::{Calendar, Certainty};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn person(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// Bob registers, dora heads 心内科, erin approves, sam supervises, nina is complained about.
const BOB: u128 = 1;
const DORA: u128 = 2;
const ERIN: u128 = 3;
const SAM: u128 = 4;
const NINA: u128 = 5;

struct Person {
    id: Uuid,
    permissions: Vec<Permission>,
    department: &'static str,
}

fn who(number: u128) -> Person {
    let (roles, department): (&[Role], _) = match number {
        BOB | NINA => (&[Role::Nurse], "客服中心"),
        DORA => (&[Role::DepartmentHead], "心内科"),
        ERIN => (&[Role::Approver], ""),
        _ => (&[Role::Supervisor], "客服中心"),
    };
    Person { id: person(number), permissions: permissions_of(roles), department }
}

impl Person {
    fn actor(&self) -> Actor<'_> {
        Actor { id: self.id, permissions: &self.permissions, department: self.department }
    }
}

fn registered() -> ComplaintState {
    ComplaintState {
        kind: ComplaintKind::Complaint,
        status: ComplaintStatus::Registered,
        confidential: false,
        departments: vec!["心内科".to_owned()],
        accused: vec![person(NINA)],
        registered_by: person(BOB),
        investigator: None,
        due_on: Some(day("2026-11-23")),
        paused_on: None,
        wanted: None,
        reopened: false,
    }
}

fn move_on(state: &ComplaintState, by: u128, wanted: Move) -> Result<ComplaintState, Refusal> {
    judge(state, &wanted, &who(by).actor(), day("2026-11-18"))
}

fn plain(kind: MoveKind) -> Move {
    Move::Plain(kind)
}

/// Taken up to where `until` stands, by the people whose work it is.
fn at(until: ComplaintStatus) -> ComplaintState {
    let road = [
        (DORA, plain(MoveKind::Accept)),
        (DORA, Move::Investigate(person(DORA))),
        (DORA, plain(MoveKind::Propose)),
        (ERIN, plain(MoveKind::Approve)),
        (BOB, plain(MoveKind::Reply)),
        (BOB, plain(MoveKind::Rate)),
        (BOB, plain(MoveKind::Close)),
    ];
    let mut state = registered();
    for (by, wanted) in road {
        if state.status == until {
            break;
        }
        state = move_on(&state, by, wanted).unwrap();
    }
    assert_eq!(state.status, until);
    state
}

#[test]
fn what_ships_is_whole() {
    let content = Content::shipped().unwrap();
    assert_eq!(content.problems(), Vec::<String>::new());
    assert_eq!(content.categories.len(), 14);
    let days: Vec<u32> = content.deadlines.iter().map(|rule| rule.days).collect();
    assert_eq!(days, [0, 5, 10]);
    let confidential: Vec<&str> =
        content.categories.iter().filter(|c| c.confidential).map(|c| c.code.as_str()).collect();
    assert_eq!(confidential, ["ETH"]);
}

#[test]
fn a_complaint_goes_from_the_call_to_the_closed_dossier_and_is_reopened_once() {
    let closed = at(ComplaintStatus::Closed);
    let again = move_on(&closed, BOB, Move::Reopen(day("2026-11-25"))).unwrap();
    assert_eq!((again.status, again.investigator, again.reopened), (ComplaintStatus::Accepted, None, true));
    let twice = ComplaintState { reopened: true, ..closed };
    assert_eq!(move_on(&twice, BOB, Move::Reopen(day("2026-11-25"))), Err(Refusal::ReopenedOnce));
}

#[test]
fn every_move_is_in_the_table_once() {
    for kind in MoveKind::ALL {
        assert_eq!(RULES.iter().filter(|rule| rule.kind == *kind).count(), 1, "{kind:?}");
    }
}

#[test]
fn only_the_complained_about_department_or_the_supervisor_accepts() {
    for (by, verdict) in [(DORA, Ok(())), (SAM, Ok(())), (BOB, Err(Refusal::Who)), (ERIN, Err(Refusal::Who))]
    {
        assert_eq!(move_on(&registered(), by, plain(MoveKind::Accept)).map(|_| ()), verdict, "{by}");
    }
    let elsewhere = ComplaintState { departments: vec!["骨科".to_owned()], ..registered() };
    assert_eq!(move_on(&elsewhere, DORA, plain(MoveKind::Accept)), Err(Refusal::Who));
}

#[test]
fn the_accused_neither_investigates_nor_calls() {
    let accepted = at(ComplaintStatus::Accepted);
    assert_eq!(move_on(&accepted, DORA, Move::Investigate(person(NINA))), Err(Refusal::InvestigatorAccused));
    assert_eq!(move_on(&at(ComplaintStatus::Replying), NINA, plain(MoveKind::Reply)), Err(Refusal::Accused));
    assert_eq!(move_on(&at(ComplaintStatus::Replied), NINA, plain(MoveKind::Rate)), Err(Refusal::Accused));
    let investigated = at(ComplaintStatus::Investigating);
    let amend = Move::Amend {
        kind: ComplaintKind::Complaint,
        confidential: false,
        departments: investigated.departments.clone(),
        accused: vec![person(DORA)],
        due_on: investigated.due_on,
    };
    assert_eq!(move_on(&investigated, BOB, amend), Err(Refusal::InvestigatorAccused));
}

#[test]
fn nobody_approves_what_they_investigated() {
    let mut state = at(ComplaintStatus::Approving);
    state.investigator = Some(person(ERIN));
    assert_eq!(move_on(&state, ERIN, plain(MoveKind::Approve)), Err(Refusal::OwnWork));
    assert_eq!(move_on(&state, ERIN, plain(MoveKind::SendBack)), Err(Refusal::OwnWork));
    assert_eq!(move_on(&state, SAM, plain(MoveKind::Approve)), Err(Refusal::Who));
}

#[test]
fn more_time_is_asked_and_granted_before_the_deadline_by_somebody_else() {
    let state = at(ComplaintStatus::Investigating);
    let until = Move::AskExtension(day("2026-11-30"));
    assert_eq!(move_on(&state, DORA, Move::AskExtension(day("2026-11-23"))), Err(Refusal::NotLater));
    let asked = move_on(&state, DORA, until.clone()).unwrap();
    assert_eq!(move_on(&asked, BOB, until.clone()), Err(Refusal::ExtensionAsked));
    let granted = move_on(&asked, ERIN, plain(MoveKind::GrantExtension)).unwrap();
    assert_eq!((granted.due_on, granted.wanted), (Some(day("2026-11-30")), None));
    assert_eq!(move_on(&granted, ERIN, plain(MoveKind::GrantExtension)), Err(Refusal::NoExtension));
    let late = |state: &ComplaintState, by, wanted| {
        judge(state, &wanted, &who(by).actor(), day("2026-11-24")).map(|_| ())
    };
    assert_eq!(late(&state, DORA, until), Err(Refusal::PastDeadline));
    assert_eq!(late(&asked, ERIN, plain(MoveKind::GrantExtension)), Err(Refusal::PastDeadline));
    assert_eq!(late(&asked, ERIN, plain(MoveKind::RefuseExtension)), Ok(()));
}

#[test]
fn while_paused_only_resuming_withdrawing_passing_on_and_amending_go() {
    let paused = move_on(&at(ComplaintStatus::Investigating), BOB, plain(MoveKind::Pause)).unwrap();
    assert_eq!(move_on(&paused, DORA, plain(MoveKind::Propose)), Err(Refusal::Paused));
    assert_eq!(move_on(&paused, BOB, plain(MoveKind::Pause)), Err(Refusal::Paused));
    assert_eq!(move_on(&paused, BOB, Move::Resume(day("2026-11-20"))), Err(Refusal::NotLater));
    let resumed = move_on(&paused, BOB, Move::Resume(day("2026-11-25"))).unwrap();
    assert_eq!((resumed.paused_on, resumed.due_on), (None, Some(day("2026-11-25"))));
    assert_eq!(move_on(&resumed, BOB, Move::Resume(day("2026-11-26"))), Err(Refusal::NotPaused));
    assert!(move_on(&paused, BOB, plain(MoveKind::Withdraw)).is_ok());
    assert!(move_on(&paused, SAM, plain(MoveKind::PassOn)).is_ok());
}

#[test]
fn praise_is_taken_note_of_and_nothing_else() {
    let praise =
        ComplaintState { kind: ComplaintKind::Praise, accused: Vec::new(), due_on: None, ..registered() };
    assert_eq!(move_on(&praise, BOB, plain(MoveKind::Settle)).map(|s| s.status), Ok(ComplaintStatus::Closed));
    assert_eq!(move_on(&praise, DORA, plain(MoveKind::Accept)), Err(Refusal::Kind));
}

#[test]
fn a_confidential_complaint_is_for_named_roles_its_receiver_and_its_investigator() {
    let state = ComplaintState { confidential: true, accused: Vec::new(), ..registered() };
    assert_eq!(move_on(&state, DORA, plain(MoveKind::Accept)), Err(Refusal::Hidden));
    assert_eq!(move_on(&state, NINA, plain(MoveKind::Refuse)), Err(Refusal::Hidden));
    assert!(move_on(&state, SAM, plain(MoveKind::Accept)).is_ok());
    assert!(move_on(&state, BOB, plain(MoveKind::Refuse)).is_ok());
}

#[test]
fn the_clock_warns_before_and_after() {
    let calendar = Calendar::shipped();
    // Received on the Wednesday before the National Day week: five working days end after it.
    let due = deadline(calendar, day("2026-09-30"), 5);
    assert_eq!((due.date, due.certainty), (day("2026-10-13"), Certainty::Known));
    let stands = |today: &str| {
        let clock = clock(Some(due.date), false, day(today), calendar, 2);
        (clock.state, clock.days_left, clock.escalation)
    };
    assert_eq!(stands("2026-10-08"), (ClockState::Ahead, 4, 0));
    assert_eq!(stands("2026-10-09"), (ClockState::Ahead, 3, 0));
    assert_eq!(stands("2026-10-10"), (ClockState::Soon, 2, 1), "a Saturday worked instead");
    assert_eq!(stands("2026-10-13"), (ClockState::Today, 0, 2));
    assert_eq!(stands("2026-10-14"), (ClockState::Overdue, -1, 3));
    let friday = day("2026-11-20");
    assert_eq!(
        clock(Some(friday), false, day("2026-11-21"), calendar, 2).escalation,
        2,
        "only a weekend past"
    );
    assert_eq!(clock(Some(friday), true, day("2026-11-25"), calendar, 2).state, ClockState::Paused);
    assert_eq!(clock(None, false, friday, calendar, 2).state, ClockState::None);
    assert!(clock(Some(day("2027-01-05")), false, friday, calendar, 2).unconfirmed);
    assert_eq!(deadline(calendar, day("2026-11-21"), 0).date, day("2026-11-23"), "a Saturday's spot");
}

fn chain(count: i64) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for ordinal in 1..=count {
        let mut step = Step {
            id: person(100 + ordinal as u128),
            complaint_id: person(7),
            previous_id: steps.last().map(|step| step.id),
            ordinal,
            name: "amend".to_owned(),
            body: format!("{{\"text\":\"{ordinal}\"}}"),
            at: ordinal * 1000,
            user: person(BOB),
            hash: Vec::new(),
        };
        let before = steps.last().map(|step| step.hash.clone()).unwrap_or_default();
        step.hash = step_hash(&before, &step).to_vec();
        steps.push(step);
    }
    steps
}

#[test]
fn an_altered_missing_or_added_step_breaks_the_chain() {
    let steps = chain(5);
    let head = Some(steps[4].id);
    assert_eq!(check_chain(&steps, head), Ok(()));
    let mut altered = steps.clone();
    altered[2].body = "{}".to_owned();
    assert_eq!(check_chain(&altered, head), Err(Broken { ordinal: 3 }));
    let mut missing = steps.clone();
    missing.remove(1);
    assert_eq!(check_chain(&missing, head), Err(Broken { ordinal: 2 }));
    assert_eq!(check_chain(&steps[..4], head), Err(Broken { ordinal: 5 }), "cut off at the end");
    assert_eq!(check_chain(&[], None), Ok(()));
}

fn any_move() -> impl Strategy<Value = (u128, Move)> {
    let person_in = || (1..=5_u128).prop_map(person);
    let date = || (0..40_u64).prop_map(|days| day("2026-11-16") + Days::new(days));
    let wanted = prop_oneof![
        6 => proptest::sample::select(MoveKind::ALL.to_vec()).prop_map(Move::Plain),
        2 => person_in().prop_map(Move::Investigate),
        1 => date().prop_map(Move::AskExtension),
        1 => date().prop_map(Move::Resume),
        1 => date().prop_map(Move::Reopen),
        1 => (person_in(), any::<bool>(), date()).prop_map(|(accused, confidential, due)| Move::Amend {
            kind: ComplaintKind::Complaint,
            confidential,
            departments: vec!["心内科".to_owned()],
            accused: vec![accused],
            due_on: Some(due),
        }),
    ];
    (1..=5_u128, wanted)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_order_of_moves_reaches_an_illegal_state(moves in proptest::collection::vec((any_move(), 0..2_u64), 0..60)) {
        let mut state = registered();
        let mut today = day("2026-11-16");
        let mut reopened = 0;
        for ((by, wanted), days) in moves {
            today = today + Days::new(days);
            let Ok(after) = judge(&state, &wanted, &who(by).actor(), today) else { continue };
            prop_assert!(!state.accused.contains(&person(by)));
            prop_assert!(after.investigator.is_none_or(|one| !after.accused.contains(&one)));
            if matches!(wanted.kind(), MoveKind::Approve) {
                prop_assert!(state.investigator != Some(person(by)) && state.investigator.is_some());
            }
            if matches!(after.status, ComplaintStatus::Approving | ComplaintStatus::Replying | ComplaintStatus::Replied) {
                prop_assert!(after.investigator.is_some());
            }
            prop_assert!(!state.status.is_final() || wanted.kind() == MoveKind::Reopen);
            if after.status.is_answered() {
                prop_assert!(after.paused_on.is_none() && after.wanted.is_none());
            }
            if !matches!(wanted.kind(), MoveKind::Amend | MoveKind::Reopen) {
                prop_assert!(after.due_on >= state.due_on, "no move but a correction takes time away");
            }
            reopened += u32::from(wanted.kind() == MoveKind::Reopen);
            prop_assert!(reopened <= 1);
            state = after;
        }
    }

    #[test]
    fn a_deadline_is_a_working_day_and_a_pause_never_shortens(
        start in 0..4000_u64, days in 0..30_u32, after in 0..60_u64, pause in 0..60_u64,
    ) {
        let calendar = Calendar::shipped();
        let received = day("2015-01-01") + Days::new(start);
        let due = deadline(calendar, received, days).date;
        prop_assert!(calendar.is_working_day(due) && due >= received);
        let paused_on = received + Days::new(after);
        let today = paused_on + Days::new(pause);
        let resumed = resumed_deadline(calendar, due, paused_on, today).date;
        prop_assert!(calendar.is_working_day(resumed) && resumed >= due);
        if paused_on <= due {
            prop_assert_eq!(
                calendar.working_days_between(today, resumed),
                calendar.working_days_between(paused_on, due),
                "as many working days are left as before"
            );
        }
    }
}
