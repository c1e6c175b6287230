//! Passwords and recovery codes: from the environment, or typed on a terminal without being shown. Never from the
//! command line, where other programs can read them.

use std::io::IsTerminal;

use aftercare_core::words::Language;

use crate::failure::Failure;
use crate::words::words;

/// The password's variable.
const PASSWORD: &str = "AFTERCARE_PASSWORD";
/// The printed code's variable, for a restore on another PC. Set to nothing it says that there is none.
const RECOVERY_CODE: &str = "AFTERCARE_RECOVERY_CODE";

/// The user's password.
pub fn password(language: Language) -> Result<String, Failure> {
    match variable(PASSWORD) {
        Some(password) => Ok(password),
        None => typed(language, "ask_password")?.ok_or_else(|| Failure::missing(language, PASSWORD)),
    }
}

/// A password that is chosen now: on a terminal it is typed twice.
pub fn new_password(language: Language) -> Result<String, Failure> {
    if let Some(password) = variable(PASSWORD) {
        return Ok(password);
    }
    let missing = || Failure::missing(language, PASSWORD);
    let password = typed(language, "ask_new_password")?.ok_or_else(missing)?;
    let again = typed(language, "ask_again")?.ok_or_else(missing)?;
    if password == again { Ok(password) } else { Err(Failure::usage(words(language).text("not_the_same"))) }
}

/// The printed code, or none: on the PC that wrote a backup the password opens it.
pub fn recovery_code(language: Language) -> Result<Option<String>, Failure> {
    match std::env::var(RECOVERY_CODE) {
        Ok(code) => Ok(Some(code).filter(|code| !code.is_empty())),
        Err(_) => typed(language, "ask_recovery_code"),
    }
}

/// What is typed at a prompt; nothing where nobody sits at a terminal, or where nothing is typed.
fn typed(language: Language, prompt: &str) -> Result<Option<String>, Failure> {
    if !std::io::stdin().is_terminal() {
        return Ok(None);
    }
    let typed = rpassword::prompt_password(words(language).text(prompt))
        .map_err(|_| Failure::usage(words(language).text("not_typed")))?;
    Ok(Some(typed).filter(|typed| !typed.is_empty()))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
