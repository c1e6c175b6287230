//! A throw-away PostgreSQL from Debian's package, in a temporary folder, gone with the test.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Answer;

/// Owns the schema.
const OWNER: &str = "aftercare_owner";
/// Owns nothing; what the server runs as.
const SERVICE: &str = "aftercare_service";
/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running PostgreSQL.
pub struct Cluster {
    folder: tempfile::TempDir,
    process: Child,
}

impl Cluster {
    /// Starts one that does not wait for the disk: it is not its own crashes that are tested.
    ///
    /// # Errors
    /// When the package is missing or it does not start.
    pub fn start() -> Answer<Self> {
        let folder = tempfile::Builder::new().prefix("aftercare-pg-").tempdir()?;
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777))?;
        let data = folder.path().join("data");
        let made = unprivileged(&program("initdb")?)?
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .args(["--wal-segsize=1", "--pgdata"])
            .arg(&data)
            .stdout(Stdio::null())
            .status()?;
        if !made.success() {
            return Err("initdb failed".into());
        }
        let mut server = unprivileged(&program("postgres")?)?;
        server.arg("-D").arg(&data).arg("-k").arg(folder.path());
        for setting in ["listen_addresses=", "fsync=off", "min_wal_size=8MB", "max_wal_size=256MB"] {
            server.args(["-c", setting]);
        }
        let process = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let cluster = Self { folder, process };
        let begun = Instant::now();
        while let Err(error) = cluster.sql("postgres", "SELECT 1") {
            if begun.elapsed() > PATIENCE {
                return Err(error);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        for role in [OWNER, SERVICE] {
            cluster.sql("postgres", &format!("CREATE ROLE {role} LOGIN"))?;
        }
        Ok(cluster)
    }

    /// What a server needs to be told to keep its data in a new database of this name.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn database(&self, name: &str) -> Answer<Vec<(String, String)>> {
        self.sql("postgres", &format!("CREATE DATABASE {name} OWNER {OWNER}"))?;
        Ok(self.environment(name))
    }

    /// How a server is told to keep its data in this database, which is there already.
    pub fn environment(&self, name: &str) -> Vec<(String, String)> {
        let address = |role: &str| format!("host={} user={role} dbname={name}", self.folder.path().display());
        vec![
            ("AFTERCARE_SERVER_DATABASE".into(), address(SERVICE)),
            ("AFTERCARE_SERVER_DATABASE_OWNER".into(), address(OWNER)),
        ]
    }

    /// Copies a database, as its own tools would put it back. It must be without connections, and those that
    /// were cut off need a moment to end.
    ///
    /// # Errors
    /// When it still has some after a while.
    pub fn copy(&self, from: &str, to: &str) -> Answer {
        let begun = Instant::now();
        while let Err(error) =
            self.sql("postgres", &format!("CREATE DATABASE {to} OWNER {OWNER} TEMPLATE {from}"))
        {
            if begun.elapsed() > PATIENCE {
                return Err(error);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// The lines that a statement answers, as the database's own administrator.
    ///
    /// # Errors
    /// The database's.
    pub fn sql(&self, database: &str, statement: &str) -> Answer<Vec<String>> {
        let mut psql = Command::new(program("psql")?);
        psql.args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-h"]);
        lines(psql.arg(self.folder.path()).args(["-c", statement]))
    }

    /// Everything that a database holds, as text.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn dump(&self, database: &str) -> Answer<String> {
        let mut dump = Command::new(program("pg_dump")?);
        dump.args(["-U", "postgres", "-d", database, "-h"]).arg(self.folder.path());
        Ok(lines(&mut dump)?.join("\n"))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // SIGQUIT: PostgreSQL ends its children at once. Whatever comes of it, the folder goes.
        let _ = crate::headless::signal(self.process.id(), "QUIT");
        let _ = self.process.wait();
    }
}

fn lines(command: &mut Command) -> Answer<Vec<String>> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}

/// A program of the newest PostgreSQL that is installed.
fn program(name: &str) -> Answer<PathBuf> {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let programs = installed.map(|version| version.path().join("bin").join(name));
    let newest = programs.filter(|path| path.is_file()).max();
    newest.ok_or_else(|| "PostgreSQL is missing: cargo xtask test installs it".into())
}

/// PostgreSQL refuses to run as root. It ends when the test's thread ends, however that comes about.
fn unprivileged(program: &Path) -> Answer<Command> {
    let root = Command::new("id").arg("-u").output()?.stdout.trim_ascii() == b"0";
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]);
    if root {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
    }
    command.arg(program).current_dir("/");
    Ok(command)
}
