//! The page's way into the core: one entry for all commands, one channel for events.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aftercare_core::App as Core;
use aftercare_core::error::{Error, WireError};
use aftercare_domain::error_code::ErrorCode;
use serde_json::{Value, json};
use tauri::{AppHandle, Emitter, State};

use crate::dial::Dialler;
use crate::dialogs::{self, Kind, Options};
use crate::instance::Only;
use crate::window;

/// The event channel's name.
const CHANNEL: &str = "aftercare";
/// A command slower than this is worth a line in the log.
const SLOW: Duration = Duration::from_millis(250);

/// What the window's commands work on.
pub struct Desk {
    core: Arc<Core>,
    dialler: Dialler,
    dialog_answers: Option<std::path::PathBuf>,
}

impl Desk {
    /// A desk on an opened core.
    pub fn new(core: Arc<Core>, dialler: Dialler, dialog_answers: Option<std::path::PathBuf>) -> Self {
        Self { core, dialler, dialog_answers }
    }
}

/// Runs a command of the core away from the window's thread.
#[tauri::command]
pub async fn rpc(desk: State<'_, Desk>, name: String, request: Value) -> Result<Value, WireError> {
    let core = Arc::clone(&desk.core);
    let called = name.clone();
    let begun = Instant::now();
    let answer = tauri::async_runtime::spawn_blocking(move || core.call(&called, request)).await;
    let took = begun.elapsed();
    if took > SLOW {
        tracing::info!(command = %known(&name), millis = took.as_millis(), "slow command");
    }
    match answer {
        Ok(answer) => answer,
        // The core catches its own panics; this is one outside it. The hook has logged where.
        Err(_) => Err(refused(ErrorCode::Internal)),
    }
}

/// Asks for a file to read.
#[tauri::command]
pub async fn pick_file(
    app: AppHandle,
    desk: State<'_, Desk>,
    options: Options,
) -> Result<Option<String>, WireError> {
    pick(&app, &desk, Kind::Open, options).await
}

/// Asks where to write a file.
#[tauri::command]
pub async fn pick_save(
    app: AppHandle,
    desk: State<'_, Desk>,
    options: Options,
) -> Result<Option<String>, WireError> {
    pick(&app, &desk, Kind::Save, options).await
}

async fn pick(
    app: &AppHandle,
    desk: &Desk,
    kind: Kind,
    options: Options,
) -> Result<Option<String>, WireError> {
    let path = match &desk.dialog_answers {
        Some(answers) => dialogs::prepared(answers),
        None => dialogs::ask(app, kind, options).await,
    };
    // A path that is no Unicode cannot cross to the page and come back the same.
    path.map(|path| path.into_os_string().into_string().map_err(|_| refused(ErrorCode::FileUnreadable)))
        .transpose()
}

/// Hands a phone address to the system.
#[tauri::command]
pub async fn open_dial(desk: State<'_, Desk>, url: String) -> Result<(), WireError> {
    desk.dialler.dial(&url).map_err(refused)
}

/// Passes the core's events to the page and keeps its clock going until the program ends.
pub fn connect(core: &Arc<Core>, only: Only, app: &AppHandle) {
    let page = app.clone();
    core.subscribe(move |event| {
        // A page that is just loading asks anew anyway.
        let _ = page.emit_to(window::LABEL, CHANNEL, event.clone());
    });
    let (core, app) = (Arc::clone(core), app.clone());
    std::thread::spawn(move || {
        loop {
            core.tick();
            if only.wanted() {
                let front = app.clone();
                let _ = app.run_on_main_thread(move || window::show(&front));
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    });
}

/// Tells the page something that the window itself has learnt.
pub fn tell(app: &AppHandle, name: &str, payload: &Value) {
    let _ = app.emit_to(window::LABEL, CHANNEL, json!({ "name": name, "payload": payload }));
}

fn refused(code: ErrorCode) -> WireError {
    Error::new(code).to_wire("shell")
}

/// A command's name as far as it can be one: what a page sends is not trusted in the log.
fn known(name: &str) -> String {
    name.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_').take(64).collect()
}
