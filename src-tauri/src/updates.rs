//! The window's part in an update: its last act, and handing over to a kept older program.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use aftercare_core::App as Core;
use aftercare_core::env::Env;
use aftercare_core::updates::{Installer, at_close, note_problem};
use aftercare_domain::error_code::ErrorCode;

/// How often, and after what pause, it is looked whether the last work has let go of the data.
const LOOKS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(250);

/// When the window has closed: locks the desk and starts the installer of a version that was fetched.
pub fn at_exit(core: &Arc<Core>, home: &Path) {
    let _ = core.call("session_lock", serde_json::json!({}));
    let done = std::env::current_exe().map_err(|_| ErrorCode::UpdateNotInstalled).and_then(|program| {
        let installer = closing(home, &program)?;
        installer.map_or(Ok(()), |installer| start(&installer))
    });
    match done {
        Ok(()) => {}
        // Somebody else still works on the data: at the next closing.
        Err(ErrorCode::DatabaseBusy) => tracing::info!("the update waits for another program"),
        Err(code) => {
            tracing::warn!(code = code.as_str(), "not updated");
            note_problem(home, code);
        }
    }
}

fn closing(home: &Path, program: &Path) -> Result<Option<Installer>, ErrorCode> {
    let keys = Env::real().release_keys;
    let mut looks = 0;
    loop {
        match at_close(home, &keys, program) {
            Err(error) if error.code == ErrorCode::DatabaseBusy && looks < LOOKS => looks += 1,
            other => return other.map_err(|error| error.code),
        }
        std::thread::sleep(PAUSE);
    }
}

/// Starts the installer, which goes on when this program has ended.
fn start(installer: &Installer) -> Result<(), ErrorCode> {
    let mut command = if cfg!(windows) {
        // Through the shell: an administrator's Setup.exe asks for its rights, which a plain start may not.
        let mut command = Command::new("cmd");
        command.args(["/C", "start", ""]).arg(&installer.file).args(["/S", "/WAIT"]);
        command
    } else {
        let mut command = Command::new("pkexec");
        command.args(["dpkg", "-i"]).arg(&installer.file);
        command
    };
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    #[cfg(windows)]
    std::os::windows::process::CommandExt::creation_flags(&mut command, NO_WINDOW);
    tracing::info!(version = installer.version, "installing");
    command.spawn().map(|_| ()).map_err(|_| ErrorCode::UpdateNotInstalled)
}

/// No black window beside the installer.
#[cfg(windows)]
const NO_WINDOW: u32 = 0x0800_0000;

/// Starts the program that was kept, with what this one was started with.
pub fn hand_over(program: &Path) -> std::io::Result<()> {
    Command::new(program).args(std::env::args_os().skip(1)).spawn().map(|_| ())
}
