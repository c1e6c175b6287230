//! The pure rules of the follow-up desk: who comes first, who may be called now, what follows from a
//! call, and how alerts and questions to experts move on.

mod alert;
mod consult;
mod guard;
mod rank;
mod retry;
mod risk;

pub use alert::{AlertCommand, AlertRefusal, AlertState, AlertStatus, judge_alert};
pub use consult::{ConsultCommand, ConsultStatus, judge_consult};
pub use guard::{Finding, FindingCode, GuardFacts, PhoneFacts, Verdict, guard};
pub use rank::{Bucket, EntryTask, Urgency, bucket_of, rank};
pub use retry::{Attempt, Decision, MAX_ATTEMPTS, PhoneState, PolicyInForce, after_attempt, is_reached};
pub use risk::{RiskFacts, risk};
