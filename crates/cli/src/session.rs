//! Set-up and the audit trail.

use aftercare_core::words::Language;
use serde_json::{Value, json};

use crate::Answer;
use crate::args::Global;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::secret;
use crate::words::words;

/// Makes the hospital; the answer holds the recovery code, which is shown this once.
pub fn init(global: &Global, language: Language, hospital: &str, site: &str) -> Result<Answer, Failure> {
    let user = global.user().ok_or_else(|| Failure::missing(language, "--user"))?;
    let password = secret::new_password(language)?;
    let desk = Desk::signed_out(global, language)?;
    let made = desk.call(
        "session_setup",
        json!({ "hospital": hospital, "site": site, "login": user, "display_name": user, "password": password }),
    )?;
    let code = made.get("recovery_code").and_then(Value::as_str).unwrap_or_default();
    let text = words(language).filled("init_done", &[("hospital", hospital), ("site", site), ("code", code)]);
    Ok(Answer {
        json: json!({ "hospital": hospital, "site": site, "user": user, "recovery_code": code }),
        text,
    })
}

/// Recomputes the audit trail's hash chain; a break is an error.
pub fn verify(desk: &Desk) -> Result<Answer, Failure> {
    let verified = desk.call("audit_verify", json!({}))?;
    let count = verified.get("entries").map(Value::to_string).unwrap_or_default();
    let text = words(desk.language).filled("audit_verified", &[("entries", &count)]);
    Ok(Answer { json: verified, text })
}
