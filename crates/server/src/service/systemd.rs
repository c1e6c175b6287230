//! systemd: a unit, its user and its settings, from the same texts as the packages'.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Installed, Settings};
use crate::args::Args;
use crate::failure::Failure;
use crate::words::Words;
use crate::{logging, start};

/// The unit.
pub const NAME: &str = "aftercare-server.service";
const UNIT: &str = include_str!("../../../../installer/server/aftercare-server.service");
const UNIT_FILE: &str = "/etc/systemd/system/aftercare-server.service";
const SETTINGS_FILE: &str = "/etc/aftercare-server.env";
const USER: &str = "aftercare";
/// The command of the packaged unit; another program and another home take its place.
const PACKAGED: &str = "ExecStart=/usr/bin/aftercare-server --home /var/lib/aftercare-server";

/// Writes unit and settings, makes the user, and hands over to systemd.
pub async fn install(args: &Args, _: &Words) -> Result<Installed, Failure> {
    let program = std::env::current_exe().map_err(Failure::file(Path::new("aftercare-server")))?;
    let home = std::path::absolute(&args.home).map_err(Failure::file(&args.home))?;
    let unit = unit(&program, &home)?;
    if !is_root() {
        return Err(Failure::new("service_rights", NAME));
    }
    if !succeeds("getent", &["passwd", USER]) {
        let folder = home.display().to_string();
        let about = ["--home-dir", &folder, "--comment", "Aftercare server", "--shell", "/usr/sbin/nologin"];
        let mut words = vec!["--system", "--user-group", "--no-create-home"];
        words.extend(about);
        words.push(USER);
        must("useradd", &words)?;
    }
    start::make_home(&home)?;
    // What an administrator began with by hand belongs to the service from now on.
    must("chown", &["-R", "aftercare:aftercare", &home.display().to_string()])?;
    if !Path::new(SETTINGS_FILE).exists() {
        write(Path::new(SETTINGS_FILE), &settings_text(&Settings::of(args)), 0o600)?;
    }
    write(Path::new(UNIT_FILE), &unit, 0o644)?;
    let booted = Path::new("/run/systemd/system").is_dir();
    if booted {
        must("systemctl", &["daemon-reload"])?;
    }
    must("systemctl", &["enable", NAME])?;
    if booted {
        must("systemctl", &["restart", NAME])?;
    }
    Ok(Installed { started: booted })
}

/// Stops and forgets the unit that `install` wrote; a package's own unit is the package's.
pub fn uninstall() -> Result<bool, Failure> {
    let unit = PathBuf::from(UNIT_FILE);
    if !unit.exists() {
        return Ok(false);
    }
    if !is_root() {
        return Err(Failure::new("service_rights", NAME));
    }
    let booted = Path::new("/run/systemd/system").is_dir();
    if booted {
        must("systemctl", &["stop", NAME])?;
    }
    must("systemctl", &["disable", NAME])?;
    fs::remove_file(&unit).map_err(Failure::file(&unit))?;
    if booted {
        must("systemctl", &["daemon-reload"])?;
    }
    Ok(true)
}

/// systemd asks nothing more of a service than to serve and to end when told.
pub fn run(args: Args) -> Result<(), Failure> {
    logging::start();
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::file(&args.home))?;
    runtime.block_on(async {
        let app = start::open(&args, crate::app::Env::system()).await?;
        start::run(app, &args.serving, &Words::of_system(), crate::serve::stop_signal()).await
    })
}

/// The packaged unit for another program and home. Only its own folder is open to the service.
fn unit(program: &Path, home: &Path) -> Result<String, Failure> {
    // systemd has its own rules for spaces, quotes and percent signs; folders of servers need none.
    for path in [program, home] {
        let plain = path.to_str().is_some_and(|text| {
            text.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '/' | '-' | '_' | '.'))
        });
        if !plain {
            return Err(Failure::new("service", path.display()));
        }
    }
    let command = format!("ExecStart={} --home {} service run", program.display(), home.display());
    let mut text = UNIT.replace(PACKAGED, &command);
    if home != Path::new("/var/lib/aftercare-server") {
        let own = format!("ReadWritePaths={}", home.display());
        text = text.replace("StateDirectory=aftercare-server\nStateDirectoryMode=0700", &own);
        // A home below /home would otherwise be hidden from the service.
        if home.starts_with("/home") {
            text = text.replace("ProtectHome=yes", "ProtectHome=no");
        }
    }
    Ok(text)
}

/// The settings as the unit's environment.
fn settings_text(settings: &Settings) -> String {
    let mut text = format!("AFTERCARE_SERVER_LISTEN={}\n", settings.listen);
    let mut line = |name: &str, value: &str| {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"");
        text.push_str(&format!("AFTERCARE_SERVER_{name}=\"{value}\"\n"));
    };
    if !settings.names.is_empty() {
        line("NAMES", &settings.names.join(","));
    }
    if let Some(hospital) = &settings.hospital {
        line("HOSPITAL", hospital);
    }
    if let Some(database) = &settings.database {
        line("DATABASE", database);
    }
    text
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let written = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path);
    written.and_then(|mut file| file.write_all(text.as_bytes())).map_err(Failure::file(path))
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|said| said.stdout.trim_ascii() == b"0")
}

fn succeeds(program: &str, words: &[&str]) -> bool {
    let quiet = Command::new(program).args(words).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

fn must(program: &str, words: &[&str]) -> Result<(), Failure> {
    let said = Command::new(program).args(words).output();
    let said = said.map_err(|error| Failure::new("service", format!("{program}: {error}")))?;
    if said.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&said.stderr).trim().to_owned();
    Err(Failure::new("service", format!("{program} {}: {why}", words.first().unwrap_or(&""))))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_unit_names_its_own_program_and_may_write_to_its_own_folder_alone() {
        let text = unit(Path::new("/opt/aftercare/aftercare-server"), Path::new("/srv/aftercare")).unwrap();
        assert!(
            text.contains("ExecStart=/opt/aftercare/aftercare-server --home /srv/aftercare service run\n")
        );
        assert!(text.contains("ReadWritePaths=/srv/aftercare\n") && !text.contains("StateDirectory"));
        assert!(text.contains("ProtectHome=yes"));
        let usual =
            unit(Path::new("/usr/bin/aftercare-server"), Path::new("/var/lib/aftercare-server")).unwrap();
        assert!(usual.contains("StateDirectory=aftercare-server\n") && !usual.contains("ReadWritePaths"));
        assert_eq!(unit(Path::new("/a b"), Path::new("/srv")).unwrap_err().code(), "service");
    }

    #[test]
    fn settings_are_written_as_the_unit_reads_them() {
        let settings = Settings {
            listen: "0.0.0.0:8443".into(),
            names: vec!["a.example".into(), "10.0.0.5".into()],
            hospital: Some("青山 \"县\"".into()),
            database: None,
        };
        assert_eq!(
            settings_text(&settings),
            "AFTERCARE_SERVER_LISTEN=0.0.0.0:8443\nAFTERCARE_SERVER_NAMES=\"a.example,10.0.0.5\"\n\
             AFTERCARE_SERVER_HOSPITAL=\"青山 \\\"县\\\"\"\n"
        );
    }
}
