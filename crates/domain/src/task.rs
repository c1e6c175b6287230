//! The life of a follow-up task. Every change of state is a command with a guard;
//! the same `judge` runs on the desk and, later, on the server.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Its condition depends on an earlier answer that is not there yet.
    Waiting,
    /// To be done.
    Open,
    /// Done, with a response.
    Done,
    /// Ended without success by a person or by the retry policy.
    Failed,
    /// Its window passed.
    Expired,
    /// No longer wanted: death, refusal, readmission, undone import, plan closed.
    Cancelled,
    /// Its condition turned out false.
    Skipped,
}

impl TaskStatus {
    /// The word stored in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Open => "open",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Waiting, Self::Open, Self::Done, Self::Failed, Self::Expired, Self::Cancelled, Self::Skipped]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

/// What the guard looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskState {
    /// Where the task stands.
    pub status: TaskStatus,
    /// Who has claimed it, until when (milliseconds UTC).
    pub claim: Option<(Uuid, i64)>,
}

/// What somebody wants to do to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskCommand {
    /// The condition turned out true.
    Open,
    /// The condition turned out false.
    Skip,
    /// Take it for `by`, until `until` (milliseconds UTC).
    Claim {
        /// Who wants it.
        by: Uuid,
        /// When the claim ends by itself.
        until: i64,
    },
    /// Give it back.
    Release {
        /// Who gives it back.
        by: Uuid,
    },
    /// It was done by `by`.
    Complete {
        /// Who did it.
        by: Uuid,
    },
    /// It ended without success.
    Fail,
    /// Its window passed.
    Expire,
    /// It is no longer wanted.
    Cancel,
    /// A closed task is wanted again (an undone mistake, a lost patient found).
    Reopen {
        /// Its condition was still undecided when it was closed.
        waits: bool,
    },
    /// The call that brought it here is taken back.
    TakeBack {
        /// Where it stood before: open or waiting.
        to: TaskStatus,
    },
}

impl TaskCommand {
    /// The command's name in the change log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Skip => "skip",
            Self::Claim { .. } => "claim",
            Self::Release { .. } => "release",
            Self::Complete { .. } => "complete",
            Self::Fail => "fail",
            Self::Expire => "expire",
            Self::Cancel => "cancel",
            Self::Reopen { .. } => "reopen",
            Self::TakeBack { .. } => "take_back",
        }
    }
}

/// Why a command was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The task is not in a state in which this can be done.
    State(TaskStatus),
    /// Somebody else has a claim that has not run out.
    Claimed,
}

/// The verdict on `command` at `now` (milliseconds UTC): the state afterwards, or why not.
pub fn judge(state: &TaskState, command: &TaskCommand, now: i64) -> Result<TaskState, Refusal> {
    use TaskStatus::*;
    let holder = state.claim.filter(|(_, until)| *until > now).map(|(by, _)| by);
    let to = |status| Ok(TaskState { status, claim: None });
    match (*command, state.status) {
        (TaskCommand::Open, Waiting) => to(Open),
        (TaskCommand::Skip, Waiting) => to(Skipped),
        (TaskCommand::Claim { by, until }, Open) if holder.is_none_or(|h| h == by) => {
            Ok(TaskState { status: Open, claim: Some((by, until)) })
        }
        (TaskCommand::Release { by }, Open) if holder.is_none_or(|h| h == by) => to(Open),
        (TaskCommand::Complete { by }, Open) if holder.is_none_or(|h| h == by) => to(Done),
        (TaskCommand::Claim { .. } | TaskCommand::Release { .. } | TaskCommand::Complete { .. }, Open) => {
            Err(Refusal::Claimed)
        }
        (TaskCommand::Fail, Open) => to(Failed),
        (TaskCommand::Expire, Open | Waiting) => to(Expired),
        (TaskCommand::Cancel, Open | Waiting) => to(Cancelled),
        (TaskCommand::Reopen { waits: true }, Cancelled) => to(Waiting),
        (TaskCommand::Reopen { .. }, Failed | Expired | Cancelled | Skipped) => to(Open),
        (TaskCommand::TakeBack { to: Open }, Done | Failed | Expired | Cancelled | Skipped | Open) => {
            to(Open)
        }
        (TaskCommand::TakeBack { to: Waiting }, Open | Skipped | Cancelled | Waiting) => to(Waiting),
        (_, status) => Err(Refusal::State(status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alice_claims_and_bob_cannot_complete_until_the_claim_runs_out() {
        let (alice, bob) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let open = TaskState { status: TaskStatus::Open, claim: None };
        let claimed = judge(&open, &TaskCommand::Claim { by: alice, until: 100 }, 10).unwrap_or(open);
        assert_eq!(judge(&claimed, &TaskCommand::Complete { by: bob }, 50), Err(Refusal::Claimed));
        let late = judge(&claimed, &TaskCommand::Complete { by: bob }, 100).map(|state| state.status);
        assert_eq!(late, Ok(TaskStatus::Done));
    }

    #[test]
    fn a_done_task_cannot_be_cancelled_or_done_again() {
        let done = TaskState { status: TaskStatus::Done, claim: None };
        for command in [TaskCommand::Cancel, TaskCommand::Expire, TaskCommand::Complete { by: Uuid::nil() }] {
            assert_eq!(judge(&done, &command, 0), Err(Refusal::State(TaskStatus::Done)));
        }
    }
}
