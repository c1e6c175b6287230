//! Who looks at follow-up work, and what of it is not for them: answers to questions that a form marks
//! as sensitive, and alerts of rules with the effect `restrict`.

use aftercare_domain::access::Permission;
use aftercare_domain::forms::Effect;
use uuid::Uuid;

use super::call::AnsweredLine;
use super::call::past::Response;
use crate::app::Ctx;
use aftercare_domain::plans::CompiledPlan;

/// Somebody who looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Viewer {
    /// Who.
    pub user: Uuid,
    /// Calls patients: sensitive answers belong to the work.
    pub works: bool,
    /// Manages follow-up: sees everything.
    pub manages: bool,
}

impl Viewer {
    /// The signed-in user.
    pub fn of(ctx: &Ctx) -> Self {
        Self {
            user: ctx.user_id(),
            works: ctx.may(Permission::FollowupWork),
            manages: ctx.may(Permission::FollowupManage),
        }
    }

    /// A condition on `alert`: those that are not restricted, or that this person raised.
    pub fn of_alerts(self) -> String {
        if self.manages {
            return "1".to_owned();
        }
        format!(
            "(alert.raised_by = x'{}' OR (alert.plan_code, alert.plan_version, alert.rule) NOT IN \
             (SELECT plan_code, plan_version, rule FROM restricted_rule))",
            self.user.simple()
        )
    }

    /// A condition on `consult`: not about an alert that is hidden, or asked by or of this person.
    pub fn of_consults(self) -> String {
        let user = self.user.simple();
        format!(
            "(consult.alert_id IS NULL OR consult.asked_by = x'{user}' OR consult.asked_of = x'{user}' \
             OR EXISTS (SELECT 1 FROM alert WHERE alert.id = consult.alert_id AND {}))",
            self.of_alerts()
        )
    }

    /// Whether the sensitive answers of an earlier response are not for this person: an expert reads them where they
    /// are asked because of them, who calls reads them unless they raised an alert that is hidden.
    pub fn hides_sensitive(self, response: &Response, plan: Option<&CompiledPlan>) -> bool {
        let own = self.manages || response.user_id == self.user;
        !own && (!self.works || plan.is_some_and(|plan| raised_restricted(plan, response)))
    }

    /// Takes from an earlier response what is not for this person.
    pub fn without_hidden(
        self,
        response: &Response,
        plan: Option<&CompiledPlan>,
        mut lines: Vec<AnsweredLine>,
    ) -> Vec<AnsweredLine> {
        if self.hides_sensitive(response, plan) {
            lines.retain(|line| !line.sensitive);
        }
        lines
    }
}

fn raised_restricted(plan: &CompiledPlan, response: &Response) -> bool {
    let rules = &plan.form().form().alerts;
    rules
        .iter()
        .any(|rule| rule.effects.contains(&Effect::Restrict) && response.results.alerts.contains(&rule.code))
}
