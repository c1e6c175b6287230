//! A throw-away PostgreSQL from Debian's package, in a temporary folder, gone with the test.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio_postgres::{Client, NoTls};

/// Owns the schema.
pub const OWNER: &str = "aftercare_owner";
/// Owns nothing; what the server runs as.
pub const SERVICE: &str = "aftercare_service";

pub struct Cluster {
    folder: tempfile::TempDir,
    process: Child,
    port: String,
}

impl Cluster {
    /// Starts a cluster. `durable`: with the disk's own speed, for measuring.
    pub async fn start(durable: bool) -> Self {
        Self::start_with(if durable { &["fsync=on"] } else { &["fsync=off"] }, &[]).await
    }

    /// Starts a cluster with these settings; `files` (name, content) lie in its data folder, for its eyes only.
    pub async fn start_with(settings: &[&str], files: &[(&str, String)]) -> Self {
        let folder = tempfile::Builder::new().prefix("aftercare-pg-").tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let data = folder.path().join("data");
        let made = unprivileged(&program("initdb"))
            .args([
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "--wal-segsize=1",
            ])
            .arg("--pgdata")
            .arg(&data)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success(), "initdb failed");
        let mut server = unprivileged(&program("postgres"));
        server.arg("-D").arg(&data).arg("-k").arg(folder.path());
        for (name, content) in files {
            let file = data.join(name);
            std::fs::write(&file, content).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
            let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(&data).unwrap());
            std::os::unix::fs::chown(&file, Some(owner), None).unwrap();
        }
        let local = ["listen_addresses=", "max_connections=60", "min_wal_size=8MB", "max_wal_size=256MB"];
        for setting in local.iter().chain(settings) {
            server.args(["-c", setting]);
        }
        let process = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let port =
            settings.iter().find_map(|setting| setting.strip_prefix("port=")).unwrap_or("5432").to_owned();
        let cluster = Self { folder, process, port };
        cluster.wait().await;
        cluster.make_roles().await;
        cluster
    }

    async fn wait(&self) {
        let begun = Instant::now();
        while tokio_postgres::connect(&self.url("postgres", "postgres"), NoTls).await.is_err() {
            assert!(begun.elapsed() < Duration::from_secs(30), "PostgreSQL does not start");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn make_roles(&self) {
        let admin = self.connect("postgres", "postgres").await;
        for role in [OWNER, SERVICE] {
            admin.batch_execute(&format!("CREATE ROLE {role} LOGIN")).await.unwrap();
        }
    }

    /// Makes an empty database, or a copy of another.
    pub async fn make_database(&self, name: &str, copy_of: Option<&str>) {
        let admin = self.connect("postgres", "postgres").await;
        let template = copy_of.map(|from| format!(" TEMPLATE {from}")).unwrap_or_default();
        // A copy needs its original without connections; those that were let go need a moment to end.
        for attempt in 0.. {
            let made = admin.batch_execute(&format!("CREATE DATABASE {name} OWNER {OWNER}{template}")).await;
            match made {
                Ok(()) => return,
                Err(error) if attempt > 100 => panic!("{error}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    pub fn url(&self, role: &str, database: &str) -> String {
        format!("host={} port={} user={role} dbname={database}", self.folder.path().display(), self.port)
    }

    pub async fn connect(&self, role: &str, database: &str) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url(role, database), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // SIGQUIT: PostgreSQL ends its children at once. Whatever comes of it, the folder goes.
        let _ = Command::new("kill").args(["-QUIT", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
    }
}

/// A program of the newest PostgreSQL that is installed.
fn program(name: &str) -> PathBuf {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = installed
        .map(|version| version.path().join("bin").join(name))
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    found
        .pop()
        .expect("PostgreSQL is missing: apt-get install postgresql, or cargo xtask test, which does it")
}

/// PostgreSQL refuses to run as root. It ends when the test's thread ends, however that comes about.
fn unprivileged(program: &Path) -> Command {
    let root =
        String::from_utf8(Command::new("id").arg("-u").output().unwrap().stdout).unwrap().trim() == "0";
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]);
    if root {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
    }
    command.arg(program).current_dir("/");
    command
}
