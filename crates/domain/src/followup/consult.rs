//! The life of a question to an expert: asked, answered, told to the patient.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Where a question stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ConsultStatus {
    /// Asked.
    Open,
    /// The expert has replied; the patient does not know yet.
    Answered,
    /// The patient was told.
    Told,
    /// Not needed any more.
    Withdrawn,
}

impl ConsultStatus {
    /// The word stored in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Answered => "answered",
            Self::Told => "told",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Open, Self::Answered, Self::Told, Self::Withdrawn].into_iter().find(|s| s.as_str() == word)
    }
}

/// What somebody wants to do to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsultCommand {
    /// Reply; again to add something.
    Answer,
    /// The patient was told.
    Tell,
    /// Not needed any more.
    Withdraw,
}

impl ConsultCommand {
    /// The command's name in the change log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Tell => "tell",
            Self::Withdraw => "withdraw",
        }
    }
}

/// The verdict on `command`: the status afterwards, or the status that forbids it.
pub fn judge_consult(status: ConsultStatus, command: ConsultCommand) -> Result<ConsultStatus, ConsultStatus> {
    use ConsultStatus::*;
    match (command, status) {
        (ConsultCommand::Answer, Open | Answered | Told) => Ok(Answered),
        (ConsultCommand::Tell, Answered) => Ok(Told),
        (ConsultCommand::Withdraw, Open) => Ok(Withdrawn),
        (_, status) => Err(status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patient_is_told_only_what_was_answered() {
        assert_eq!(judge_consult(ConsultStatus::Open, ConsultCommand::Tell), Err(ConsultStatus::Open));
        assert_eq!(judge_consult(ConsultStatus::Answered, ConsultCommand::Tell), Ok(ConsultStatus::Told));
        assert_eq!(
            judge_consult(ConsultStatus::Answered, ConsultCommand::Withdraw),
            Err(ConsultStatus::Answered)
        );
    }
}
