//! The opened core with a signed-in user: every subcommand calls the same commands as the window.

use std::path::Path;
use std::sync::Arc;

use aftercare_core::App;
use aftercare_core::env::Env;
use aftercare_core::words::Language;
use serde_json::{Value, json};

use crate::args::Global;
use crate::failure::Failure;
use crate::secret;
use crate::words::words;

/// A signed-in desk; dropping it signs out.
pub struct Desk {
    app: Arc<App>,
    permissions: Vec<String>,
    /// The signed-in user's, which an export asks for again.
    pub password: String,
    /// What messages are in.
    pub language: Language,
}

impl Desk {
    /// Opens the data folder and signs the user in.
    pub fn open(global: &Global, language: Language) -> Result<Self, Failure> {
        let mut desk = Self::signed_out(global, language)?;
        let user = global.user().ok_or_else(|| Failure::missing(language, "--user"))?;
        desk.password = secret::password(language)?;
        let status = desk.call("session_login", json!({ "login": user, "password": desk.password }))?;
        let permissions = status.pointer("/user/permissions").and_then(Value::as_array);
        desk.permissions =
            permissions.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        Ok(desk)
    }

    /// Opens the data folder with nobody signed in.
    pub fn signed_out(global: &Global, language: Language) -> Result<Self, Failure> {
        let home = global.home().ok_or_else(|| Failure::missing(language, "--home"))?;
        let app = App::open(home, Env::real()).map_err(|error| Failure::of_core(language, &error))?;
        Ok(Self { app, permissions: Vec::new(), password: String::new(), language })
    }

    /// Whether the signed-in user has a permission, by its word.
    pub fn may(&self, permission: &str) -> bool {
        self.permissions.iter().any(|own| own == permission)
    }

    /// The language's name, as the core takes it.
    pub fn locale(&self) -> &'static str {
        match self.language {
            Language::Chinese => "zh-CN",
            Language::English => "en",
        }
    }

    /// Calls a command of the core.
    pub fn call(&self, command: &str, request: Value) -> Result<Value, Failure> {
        self.app.call(command, request).map_err(|error| Failure::of_wire(self.language, &error))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // Signing out is audited; a desk that cannot be signed out is closed by the end of the process.
        let _ = self.app.call("session_lock", json!({}));
    }
}

/// A path as the core takes it: whole, and in Unicode, because it crosses as JSON.
pub fn path(language: Language, path: &Path) -> Result<String, Failure> {
    std::path::absolute(path)
        .ok()
        .and_then(|path| path.into_os_string().into_string().ok())
        .ok_or_else(|| Failure::usage(&words(language).filled("bad_path", &[])))
}
