use aftercare_domain::error_code::ErrorCode;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::error::FieldErrors;
use crate::session::PasswordDue;

/// Longest password taken, in characters: Argon2id takes any length, a form need not.
const LONGEST: usize = 200;

/// What a password must be. Length first; the 等保 profile adds kinds of characters and age.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct PasswordPolicy {
    /// Fewest characters.
    pub min_length: u32,
    /// How many of: capitals, small letters, digits, others.
    pub min_kinds: u32,
    /// Days until it has to be changed, 0 for never. With a limit, a password that somebody else
    /// gave has to be changed at the first login (等保: initial and reset passwords too).
    pub max_age_days: u32,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self { min_length: 8, min_kinds: 1, max_age_days: 0 }
    }
}

impl PasswordPolicy {
    /// Why a password that its owner chose at `chosen_at` (0: never, somebody gave it to them) has
    /// to be changed. Both milliseconds UTC. A clock set back makes nothing due.
    pub fn due(&self, chosen_at: i64, now: i64) -> Option<PasswordDue> {
        let oldest = i64::from(self.max_age_days) * 86_400_000;
        match chosen_at {
            _ if oldest == 0 => None,
            0 => Some(PasswordDue::Given),
            _ if now - chosen_at >= oldest => Some(PasswordDue::TooOld),
            _ => None,
        }
    }

    /// Refuses `password` in `field` if it is not good enough.
    pub fn check(&self, errors: &mut FieldErrors, field: &str, password: &str, login: &str) {
        let length = password.chars().count();
        let kinds = [
            password.chars().any(char::is_uppercase),
            password.chars().any(char::is_lowercase),
            password.chars().any(|c| c.is_ascii_digit()),
            password.chars().any(|c| !c.is_ascii_alphanumeric()),
        ];
        if length < self.min_length as usize {
            errors.add_with(field, ErrorCode::TooShort, "min", self.min_length);
        } else if length > LONGEST {
            errors.add_with(field, ErrorCode::TooLong, "max", LONGEST);
        } else if password == login.trim()
            || password.chars().all(|c| password.starts_with(c))
            || kinds.iter().filter(|kind| **kind).count() < self.min_kinds as usize
        {
            errors.add_with(field, ErrorCode::WeakPassword, "kinds", self.min_kinds);
        }
    }
}
