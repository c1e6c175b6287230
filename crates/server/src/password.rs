//! The server's own Argon2id hashes of passwords. Few at a time: each takes 64 MiB.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::app::random;
use crate::problem::Refused;

/// What a password costs to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Cost {
    /// As the design says: 64 MiB, three passes.
    pub const FULL: Self = Self { memory_kib: 64 * 1024, passes: 3 };
    /// For tests.
    pub const LIGHT: Self = Self { memory_kib: 64, passes: 1 };
}

/// The shortest password that the server takes.
pub const SHORTEST: usize = 10;
/// The longest that is hashed.
pub const LONGEST: usize = 512;

static AT_ONCE: Semaphore = Semaphore::const_new(4);

/// The hash of a new password as a PHC string.
///
/// # Errors
/// `internal` when there is no randomness or memory.
pub async fn hash(password: String, cost: Cost) -> Result<String, Refused> {
    let salt = random::<16>()?;
    let password = Zeroizing::new(password);
    run(move || {
        let params = Params::new(cost.memory_kib, cost.passes, 1, Some(32))?;
        let salt = SaltString::encode_b64(&salt)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Ok(argon.hash_password(password.as_bytes(), &salt)?.to_string())
    })
    .await
}

/// Whether a password is the one of this hash. For a user who does not exist the caller passes
/// no hash: it takes as long and says no.
///
/// # Errors
/// `internal` when a stored hash cannot be read.
pub async fn check(password: String, stored: Option<String>, cost: Cost) -> Result<bool, Refused> {
    let password = Zeroizing::new(password);
    if password.len() > LONGEST {
        return Ok(false);
    }
    let Some(stored) = stored else {
        hash(password.to_string(), cost).await?;
        return Ok(false);
    };
    run(move || {
        let parsed = PasswordHash::new(&stored)?;
        Ok(Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
    })
    .await
}

async fn run<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, argon2::password_hash::Error> + Send + 'static,
) -> Result<T, Refused> {
    let _permit = AT_ONCE.acquire().await.map_err(|error| Refused::internal("password", error))?;
    let joined = tokio::task::spawn_blocking(work).await;
    joined
        .map_err(|error| Refused::internal("password", error))?
        .map_err(|error| Refused::internal("password", error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn only_the_password_itself_fits_and_nobody_has_none() {
        let hash = hash("correct horse".into(), Cost::LIGHT).await.unwrap();
        assert!(hash.starts_with("$argon2id$") && !hash.contains("horse"));
        assert!(check("correct horse".into(), Some(hash.clone()), Cost::LIGHT).await.unwrap());
        assert!(!check("correct house".into(), Some(hash), Cost::LIGHT).await.unwrap());
        assert!(!check("anything".into(), None, Cost::LIGHT).await.unwrap());
    }
}
