//! The life of an alert: raised, passed on, answered, closed.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::forms::Level;

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AlertStatus {
    /// Raised; nobody has been told.
    Open,
    /// Passed on to a department or an expert.
    Routed,
    /// The expert has replied.
    Answered,
    /// Done with.
    Closed,
}

impl AlertStatus {
    /// The word stored in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Routed => "routed",
            Self::Answered => "answered",
            Self::Closed => "closed",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Open, Self::Routed, Self::Answered, Self::Closed].into_iter().find(|s| s.as_str() == word)
    }
}

/// What the judge looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertState {
    /// Where it stands.
    pub status: AlertStatus,
    /// How urgent it is.
    pub level: Level,
}

/// What somebody wants to do to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertCommand {
    /// Pass it on; again when the first did not answer.
    Route,
    /// The expert replied.
    Answer,
    /// Be done with it.
    Close,
    /// The call that raised it is taken back.
    Withdraw,
}

impl AlertCommand {
    /// The command's name in the change log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Answer => "answer",
            Self::Close => "close",
            Self::Withdraw => "withdraw",
        }
    }
}

/// Why a command was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertRefusal {
    /// The alert is not in a state in which this can be done.
    State(AlertStatus),
    /// A red flag is closed only after it was passed on.
    Unrouted,
}

/// The verdict on `command`: the status afterwards, or why not.
pub fn judge_alert(state: AlertState, command: AlertCommand) -> Result<AlertStatus, AlertRefusal> {
    use AlertStatus::*;
    match (command, state.status) {
        (AlertCommand::Route, Open | Routed | Answered) => Ok(Routed),
        (AlertCommand::Answer, Routed | Answered) => Ok(Answered),
        (AlertCommand::Close, Open) if state.level == Level::Red => Err(AlertRefusal::Unrouted),
        (AlertCommand::Close, Open | Routed | Answered) => Ok(Closed),
        // Taking back a mistake is no closing: it is possible only while nobody was told.
        (AlertCommand::Withdraw, Open) => Ok(Closed),
        (_, status) => Err(AlertRefusal::State(status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_red_flag_is_closed_only_after_it_was_passed_on() {
        let red = AlertState { status: AlertStatus::Open, level: Level::Red };
        assert_eq!(judge_alert(red, AlertCommand::Close), Err(AlertRefusal::Unrouted));
        let routed = AlertState { status: AlertStatus::Routed, ..red };
        assert_eq!(judge_alert(routed, AlertCommand::Close), Ok(AlertStatus::Closed));
        let orange = AlertState { level: Level::Orange, ..red };
        assert_eq!(judge_alert(orange, AlertCommand::Close), Ok(AlertStatus::Closed));
    }

    #[test]
    fn what_was_told_to_somebody_cannot_be_withdrawn_and_closed_stays_closed() {
        let routed = AlertState { status: AlertStatus::Routed, level: Level::Yellow };
        assert_eq!(
            judge_alert(routed, AlertCommand::Withdraw),
            Err(AlertRefusal::State(AlertStatus::Routed))
        );
        let closed = AlertState { status: AlertStatus::Closed, ..routed };
        for command in
            [AlertCommand::Route, AlertCommand::Answer, AlertCommand::Close, AlertCommand::Withdraw]
        {
            assert_eq!(judge_alert(closed, command), Err(AlertRefusal::State(AlertStatus::Closed)));
        }
    }
}
