//! Windows' service manager.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use windows_service::service::{
    Service, ServiceAccess, ServiceAction, ServiceActionType, ServiceControl, ServiceControlAccept,
    ServiceErrorControl, ServiceExitCode, ServiceFailureActions, ServiceFailureResetPeriod, ServiceInfo,
    ServiceStartType, ServiceState, ServiceStatus, ServiceType,
};
use windows_service::service_control_handler::{self, ServiceControlHandlerResult, ServiceStatusHandle};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};
use windows_service::{define_windows_service, service_dispatcher};

use super::{Installed, Settings};
use crate::app::Env;
use crate::args::Args;
use crate::failure::Failure;
use crate::words::Words;
use crate::{logging, start};

/// The service.
pub const NAME: &str = "AftercareServer";
const SHOWN: &str = "Aftercare 随访台 server";
/// It needs no rights beyond its folder and its port.
const ACCOUNT: &str = "NT AUTHORITY\\LocalService";
/// The same account, the system and the administrators, by the ids that are the same in every language of Windows.
const MAY_READ: [&str; 3] = ["*S-1-5-19", "*S-1-5-18", "*S-1-5-32-544"];
const SETTINGS_FILE: &str = "service.json";
const PATIENCE: Duration = Duration::from_secs(30);
/// What the system says where there is no such service, where one is there already, to who may not, and when a
/// program was not started by the service manager.
const ABSENT: i32 = 1060;
const THERE: i32 = 1073;
const DENIED: i32 = 5;
const NOT_A_SERVICE: i32 = 1063;
/// Another service is just being started or changed; it passes.
const LOCKED: i32 = 1055;

static ARGS: OnceLock<Args> = OnceLock::new();

define_windows_service!(entry, service_main);

/// Makes the home, shuts it to others, and registers the service.
pub async fn install(args: &Args, words: &Words) -> Result<Installed, Failure> {
    let program = std::env::current_exe().map_err(Failure::file(Path::new("aftercare-server.exe")))?;
    let home = std::path::absolute(&args.home).map_err(Failure::file(&args.home))?;
    let access = ServiceManagerAccess::CONNECT | ServiceManagerAccess::CREATE_SERVICE;
    let manager = ServiceManager::local_computer(None::<&str>, access).map_err(failed)?;
    start::make_home(&home)?;
    shut(&home)?;
    // The one-time password is said once, to whoever installs; a service has nobody to say it to.
    let app = start::open(args, Env::system()).await?;
    start::first_start(&app, &args.serving, words).await?;
    drop(app);
    let settings = serde_json::to_vec_pretty(&Settings::of(args))
        .map_err(|error| Failure::new("service", error.to_string()))?;
    let file = home.join(SETTINGS_FILE);
    fs::write(&file, settings).map_err(Failure::file(&file))?;

    let about = about(program, &home);
    let wanted = ServiceAccess::CHANGE_CONFIG | ServiceAccess::START | ServiceAccess::QUERY_STATUS;
    let service = match manager.create_service(&about, wanted) {
        Err(error) if number(&error) == THERE => {
            let service = manager.open_service(NAME, wanted).map_err(failed)?;
            service.change_config(&about).map_err(failed)?;
            service
        }
        other => other.map_err(failed)?,
    };
    service.set_description(SHOWN).map_err(failed)?;
    let again = ServiceAction { action_type: ServiceActionType::Restart, delay: Duration::from_secs(5) };
    service
        .update_failure_actions(ServiceFailureActions {
            reset_period: ServiceFailureResetPeriod::After(Duration::from_secs(3600)),
            reboot_msg: None,
            command: None,
            actions: Some(vec![again.clone(), again.clone(), again]),
        })
        .map_err(failed)?;
    let running = service.query_status().map_err(failed)?.current_state == ServiceState::Running;
    if !running {
        start_when_possible(&service)?;
    }
    Ok(Installed { started: true })
}

/// Starts it, waiting while the system's list of services is locked.
fn start_when_possible(service: &Service) -> Result<(), Failure> {
    let asked = Instant::now();
    loop {
        match service.start::<&OsStr>(&[]) {
            Err(error) if number(&error) == LOCKED && asked.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(500));
            }
            other => return other.map_err(failed),
        }
    }
}

fn about(program: PathBuf, home: &Path) -> ServiceInfo {
    ServiceInfo {
        name: NAME.into(),
        display_name: SHOWN.into(),
        service_type: ServiceType::OWN_PROCESS,
        start_type: ServiceStartType::AutoStart,
        error_control: ServiceErrorControl::Normal,
        executable_path: program,
        launch_arguments: vec!["--home".into(), home.into(), "service".into(), "run".into()],
        dependencies: Vec::new(),
        account_name: Some(ACCOUNT.into()),
        account_password: None,
    }
}

/// Stops and forgets the service.
pub fn uninstall() -> Result<bool, Failure> {
    let manager =
        ServiceManager::local_computer(None::<&str>, ServiceManagerAccess::CONNECT).map_err(failed)?;
    let access = ServiceAccess::STOP | ServiceAccess::QUERY_STATUS | ServiceAccess::DELETE;
    let service = match manager.open_service(NAME, access) {
        Err(error) if number(&error) == ABSENT => return Ok(false),
        other => other.map_err(failed)?,
    };
    let stopped = || service.query_status().map(|status| status.current_state == ServiceState::Stopped);
    if !stopped().map_err(failed)? {
        service.stop().map_err(failed)?;
        let asked = Instant::now();
        while !stopped().map_err(failed)? {
            if asked.elapsed() > PATIENCE {
                return Err(Failure::new("service", NAME));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    service.delete().map_err(failed)?;
    Ok(true)
}

/// Waits for the service manager's word; started by hand, it serves all the same.
pub fn run(mut args: Args) -> Result<(), Failure> {
    logging::start_in(&args.home.join("logs"));
    take_settings(&mut args)?;
    let args = ARGS.get_or_init(|| args);
    match service_dispatcher::start(NAME, entry) {
        Err(error) if number(&error) == NOT_A_SERVICE => serve(args, crate::serve::stop_signal()),
        other => other.map_err(failed),
    }
}

fn take_settings(args: &mut Args) -> Result<(), Failure> {
    let file = args.home.join(SETTINGS_FILE);
    if !file.exists() {
        return Ok(());
    }
    let bytes = fs::read(&file).map_err(Failure::file(&file))?;
    let damaged = || Failure::new("service", file.display());
    let settings: Settings = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
    args.serving.listen = settings.listen.parse().map_err(|_| damaged())?;
    args.serving.names = settings.names;
    args.serving.hospital = settings.hospital;
    args.database = settings.database;
    Ok(())
}

fn service_main(_: Vec<OsString>) {
    let Some(args) = ARGS.get() else { return };
    let stop = Arc::new(Notify::new());
    let told = Arc::clone(&stop);
    let handler = move |control| match control {
        ServiceControl::Stop | ServiceControl::Shutdown => {
            told.notify_one();
            ServiceControlHandlerResult::NoError
        }
        ServiceControl::Interrogate => ServiceControlHandlerResult::NoError,
        _ => ServiceControlHandlerResult::NotImplemented,
    };
    let handle = match service_control_handler::register(NAME, handler) {
        Ok(handle) => handle,
        Err(error) => return tracing::error!(%error, "no service"),
    };
    say(&handle, ServiceState::Running, 0);
    let served = serve(args, async move { stop.notified().await });
    if let Err(failure) = &served {
        tracing::error!(code = failure.code(), about = failure.about(), "not served");
    }
    say(&handle, ServiceState::Stopped, u32::from(served.is_err()));
}

fn serve(args: &Args, stop: impl Future<Output = ()>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::file(&args.home))?;
    runtime.block_on(async {
        let app = start::open(args, Env::system()).await?;
        start::run(app, &args.serving, &Words::of_system(), stop).await
    })
}

fn say(handle: &ServiceStatusHandle, state: ServiceState, code: u32) {
    let accepted = match state {
        ServiceState::Running => ServiceControlAccept::STOP | ServiceControlAccept::SHUTDOWN,
        _ => ServiceControlAccept::empty(),
    };
    let status = ServiceStatus {
        service_type: ServiceType::OWN_PROCESS,
        current_state: state,
        controls_accepted: accepted,
        exit_code: if code == 0 { ServiceExitCode::NO_ERROR } else { ServiceExitCode::ServiceSpecific(code) },
        checkpoint: 0,
        wait_hint: Duration::ZERO,
        process_id: None,
    };
    if let Err(error) = handle.set_service_status(status) {
        tracing::error!(%error, "the service manager does not listen");
    }
}

/// The folder holds the authority's key: below `ProgramData` every user of the machine could read it.
fn shut(home: &Path) -> Result<(), Failure> {
    let mut rights = Command::new("icacls");
    rights.arg(home).arg("/inheritance:r");
    for account in MAY_READ {
        rights.arg("/grant:r").arg(format!("{account}:(OI)(CI)F"));
    }
    let done = rights.stdout(Stdio::null()).stderr(Stdio::null()).status().map_err(Failure::file(home))?;
    if done.success() { Ok(()) } else { Err(Failure::new("service_rights", home.display())) }
}

/// The system's own number of an error; 0 where it has none.
fn number(error: &windows_service::Error) -> i32 {
    match error {
        windows_service::Error::Winapi(error) => error.raw_os_error().unwrap_or(0),
        _ => 0,
    }
}

fn failed(error: windows_service::Error) -> Failure {
    let code = if number(&error) == DENIED { "service_rights" } else { "service" };
    let about = match &error {
        windows_service::Error::Winapi(system) => system.to_string(),
        other => other.to_string(),
    };
    Failure::new(code, about)
}
