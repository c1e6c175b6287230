//! Complaints: where one stands, who may move it on, until when it must be answered, and the chain of its steps.
//!
//! The desk asks [`judge`] before it writes, the server asks it again in its own order.

mod chain;
mod clock;
mod content;
mod moves;
#[cfg(test)]
mod tests;

pub use chain::{Broken, Step, check_chain, step_hash};
pub use clock::{Clock, ClockState, clock, deadline, resumed_deadline};
pub use content::{
    Category, Content, DeadlineRule, Owner, Phrase, PhraseAudience, RevisitRule, Severity, SignalRule,
    WarnRule,
};
pub use moves::{
    Accused, Actor, ComplaintState, Move, MoveKind, RULES, Refusal, Rule, Who, allowed, judge, trusted,
};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

macro_rules! words {
    ($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $each:literal])+ $variant:ident => $word:literal,)+ }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
        pub enum $name {
            $($(#[doc = $each])+ #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every one, in the order of work.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word stored in the table.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// Reads the stored word.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }
    };
}
pub(crate) use words;

words! {
    /// Where a complaint stands.
    ComplaintStatus {
        /// 已登记.
        Registered => "registered",
        /// 已受理 by the complained-about department.
        Accepted => "accepted",
        /// 调查中.
        Investigating => "investigating",
        /// 待审批: a proposal lies with a leader.
        Approving => "approving",
        /// 待反馈: approved, the complainant does not know yet.
        Replying => "replying",
        /// 已反馈.
        Replied => "replied",
        /// 已回访: the complainant has rated the handling.
        Rated => "rated",
        /// 已结案.
        Closed => "closed",
        /// 不予受理.
        NotAccepted => "not_accepted",
        /// 转其他途径: mediation, appraisal, court.
        PassedOn => "passed_on",
        /// 撤诉.
        Withdrawn => "withdrawn",
    }
}

impl ComplaintStatus {
    /// Whether nothing more is to be done: from here only additions, and one reopening.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Closed | Self::NotAccepted | Self::PassedOn | Self::Withdrawn)
    }

    /// Whether the clock has stopped: the complainant has the answer, or none is owed.
    pub fn is_answered(self) -> bool {
        self.is_final() || matches!(self, Self::Replied | Self::Rated)
    }
}

words! {
    /// What was registered. Only complaints have a clock and count in figures.
    ComplaintKind {
        /// 投诉.
        Complaint => "complaint",
        /// 表扬.
        Praise => "praise",
        /// 建议咨询.
        Suggestion => "suggestion",
    }
}
