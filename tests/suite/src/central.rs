//! The central server as an IT officer runs it, on either database.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use uuid::Uuid;

use crate::Answer;
use crate::headless::signal;
use crate::postgres::Cluster;
use crate::programs::built;

/// How long the server may take to answer at first, or to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// The signal of kill −9.
pub const KILL: i32 = 9;

/// Where a server keeps its data.
#[derive(Clone)]
pub enum Place {
    /// In files in its home.
    Files,
    /// In a database of this name.
    Database(Arc<Cluster>, String),
}

impl Place {
    /// Its name, for what a proof prints.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Files => "SQLite",
            Self::Database(..) => "PostgreSQL",
        }
    }
}

/// A server in a folder: running, or dead until it is started again at the same address.
pub struct Central {
    /// Its folder.
    pub home: PathBuf,
    /// Where its data is.
    pub place: Place,
    environment: Vec<(String, String)>,
    listen: SocketAddr,
    child: Option<Child>,
}

impl Central {
    /// Starts a server in `home` on a free port, with its data in files.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(home: &Path) -> Answer<Self> {
        Self::start_on(home, Place::Files)
    }

    /// The same with its data in `place`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_on(home: &Path, place: Place) -> Answer<Self> {
        let environment = match &place {
            Place::Files => Vec::new(),
            Place::Database(cluster, name) => cluster.database(name)?,
        };
        let listen = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut central = Self { home: home.to_path_buf(), place, environment, listen, child: None };
        central.again(&[])?;
        Ok(central)
    }

    /// Starts it again where it was, with more said to it by its environment. One that still runs is killed.
    ///
    /// # Errors
    /// When it does not start.
    pub fn again(&mut self, told: &[(&str, &str)]) -> Answer {
        self.kill()?;
        let mut command = self.command(&[])?;
        command.args(["--listen", &self.listen.to_string(), "--hospital", "青山县人民医院"]);
        let log = || File::options().append(true).create(true).open(self.log());
        command.envs(told.iter().copied()).stdin(Stdio::null()).stdout(log()?).stderr(log()?);
        let mut child = command.spawn()?;
        let started = Instant::now();
        while TcpStream::connect_timeout(&self.listen, Duration::from_millis(200)).is_err() {
            if started.elapsed() > PATIENCE || child.try_wait()?.is_some() {
                let _ = child.kill();
                return Err("the server does not answer".into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.child = Some(child);
        Ok(())
    }

    /// What it has said, on both of its outputs, since it was first started.
    pub fn log(&self) -> PathBuf {
        self.home.with_extension("log")
    }

    /// Where desks find it.
    pub fn address(&self) -> String {
        format!("https://{}", self.listen)
    }

    /// A one-time code for a desk that brings its history.
    ///
    /// # Errors
    /// When none is made.
    pub fn code(&self) -> Answer<String> {
        self.code_for(&["--history"])
    }

    /// A one-time code.
    ///
    /// # Errors
    /// When none is made.
    pub fn code_for(&self, more: &[&str]) -> Answer<String> {
        let made = self.say(&[&["code", "new"], more].concat())?;
        Ok(made["code"].as_str().ok_or("a code is a word")?.to_owned())
    }

    /// The server's program with these words, on this server's data.
    ///
    /// # Errors
    /// When it does not build.
    pub fn command(&self, words: &[&str]) -> Answer<Command> {
        let mut command = Command::new(built("aftercare-server")?);
        command.arg("--home").arg(&self.home).args(words);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }

    /// Runs a command of the server's program to its end.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn run(&self, words: &[&str], told: &[(&str, &str)]) -> Answer<Output> {
        Ok(self.command(words)?.arg("--json").envs(told.iter().copied()).output()?)
    }

    /// Runs what must succeed.
    ///
    /// # Errors
    /// When it fails.
    pub fn say(&self, words: &[&str]) -> Answer<Value> {
        let output = self.run(words, &[])?;
        if !output.status.success() {
            return Err(format!("{words:?} failed: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Cuts its power, if it is on.
    ///
    /// # Errors
    /// When it does not end.
    pub fn kill(&mut self) -> Answer {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = signal(child.id(), "KILL");
            child.wait()?;
        }
        Ok(())
    }

    /// Whether it has ended by kill −9 without our doing; waits a moment for it.
    ///
    /// # Errors
    /// When the process cannot be asked.
    pub fn died(&mut self) -> Answer<bool> {
        let Some(child) = &mut self.child else { return Ok(false) };
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(2) {
            if let Some(status) = child.try_wait()? {
                self.child = None;
                return Ok(status.signal() == Some(KILL));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(false)
    }

    /// From its next start on it keeps its data in this database, which is there already.
    pub fn uses(&mut self, cluster: &Arc<Cluster>, name: &str) {
        self.environment = cluster.environment(name);
        self.place = Place::Database(Arc::clone(cluster), name.to_owned());
    }

    /// The latest effective time of any op that counts, milliseconds UTC.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn latest_millis(&self) -> Answer<i64> {
        let sql = "SELECT CAST(max(effective) AS TEXT) AS id FROM op WHERE op_id IS NOT NULL";
        let latest = match &self.place {
            Place::Files => self.query(sql)?,
            Place::Database(cluster, name) => cluster.sql(name, sql)?,
        };
        Ok(latest.first().ok_or("a server with ops")?.parse::<i64>()? >> 16)
    }

    /// The ids of all ops that count here. The database lets none in twice.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn ops(&self) -> Answer<BTreeSet<Uuid>> {
        let ids = match &self.place {
            Place::Files => self.query("SELECT lower(hex(op_id)) AS id FROM op WHERE op_id IS NOT NULL")?,
            Place::Database(cluster, name) => {
                cluster.sql(name, "SELECT op_id FROM op WHERE op_id IS NOT NULL")?
            }
        };
        ids.iter().map(|id| Ok(Uuid::parse_str(id)?)).collect()
    }

    /// A column `id` of text from every hospital's file.
    fn query(&self, sql: &str) -> Answer<Vec<String>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(self.home.join("tenants"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|end| end == "db") {
                let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
                let mut statement = connection.prepare(sql)?;
                let rows = statement.query_map([], |row| row.get("id"))?;
                found.extend(rows.collect::<rusqlite::Result<Vec<String>>>()?);
            }
        }
        Ok(found)
    }
}

impl Drop for Central {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
