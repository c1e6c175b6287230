//! How much a patient on a plan has to lose by a late call.

use crate::forms::Level;

/// What the risk is computed from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RiskFacts {
    /// The plan's rules can raise a red flag.
    pub plan_has_red_flags: bool,
    /// It is the general plan, for discharges that no other plan fits.
    pub plan_is_general: bool,
    /// LACE score of the stay, 0–19.
    pub lace: Option<u8>,
    /// Full years.
    pub age: Option<u16>,
    /// The most urgent alert of the patient in the last 90 days.
    pub recent_alert: Option<Level>,
}

/// The risk, 0 to 100, that orders the worklist after red flags and overdue windows:
///
/// - plan: 25 when its rules can raise red flags, else 15; the general plan 10;
/// - LACE: two points each up to 18, 35 from 10 on (high risk of readmission or death in 30 days);
/// - age: 20 from 80 years, 12 from 65 or under 1, 0 else;
/// - an alert in the last 90 days: red 20, orange 12, yellow 5.
///
/// The weights are this program's own; no standard gives them. They only order calls.
pub fn risk(facts: &RiskFacts) -> u8 {
    let plan = match (facts.plan_is_general, facts.plan_has_red_flags) {
        (true, _) => 10,
        (false, true) => 25,
        (false, false) => 15,
    };
    let lace = match facts.lace {
        Some(10..) => 35,
        Some(score) => score * 2,
        None => 0,
    };
    let age = match facts.age {
        Some(80..) => 20,
        Some(65..) | Some(0) => 12,
        _ => 0,
    };
    let alert = match facts.recent_alert {
        Some(Level::Red) => 20,
        Some(Level::Orange) => 12,
        Some(Level::Yellow) => 5,
        None => 0,
    };
    (plan + lace + age + alert).min(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_high_lace_outweighs_age_and_everything_together_is_one_hundred() {
        let young = RiskFacts { lace: Some(12), age: Some(40), ..RiskFacts::default() };
        let old = RiskFacts { lace: Some(3), age: Some(85), ..RiskFacts::default() };
        assert!(risk(&young) > risk(&old));
        let worst = RiskFacts {
            plan_has_red_flags: true,
            plan_is_general: false,
            lace: Some(19),
            age: Some(90),
            recent_alert: Some(Level::Red),
        };
        assert_eq!(risk(&worst), 100);
    }
}
