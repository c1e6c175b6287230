//! The central server as an IT officer runs it.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Answer;
use crate::headless::signal;
use crate::programs::built;

/// How long the server may take to answer at first.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server in a folder.
pub struct Central {
    home: PathBuf,
    listen: SocketAddr,
    child: Child,
}

impl Central {
    /// Starts a server in `home` on a free port.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(home: &Path) -> Answer<Self> {
        let listen = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        Self::start_at(home, listen)
    }

    fn start_at(home: &Path, listen: SocketAddr) -> Answer<Self> {
        let mut command = Command::new(built("aftercare-server")?);
        command.arg("--home").arg(home).args([
            "--listen",
            &listen.to_string(),
            "--hospital",
            "青山县人民医院",
        ]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        if let Some(said) = child.stdout.take() {
            // What it says is not needed, but must not fill the pipe.
            std::thread::spawn(move || BufReader::new(said).lines().map_while(Result::ok).count());
        }
        let started = Instant::now();
        while TcpStream::connect_timeout(&listen, Duration::from_millis(200)).is_err() {
            if started.elapsed() > PATIENCE || child.try_wait()?.is_some() {
                let _ = child.kill();
                return Err("the server does not answer".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Self { home: home.to_path_buf(), listen, child })
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
        let made = self.say(&["code", "new", "--history"])?;
        Ok(made["code"].as_str().ok_or("a code is a word")?.to_owned())
    }

    /// Runs a command of the server's program.
    ///
    /// # Errors
    /// When it fails.
    pub fn say(&self, words: &[&str]) -> Answer<Value> {
        let output = Command::new(built("aftercare-server")?)
            .arg("--home")
            .arg(&self.home)
            .args(words)
            .arg("--json")
            .output()?;
        if !output.status.success() {
            return Err(format!("{words:?} failed: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Cuts its power and starts it again at the same address.
    ///
    /// # Errors
    /// When it does not come back.
    pub fn killed(mut self) -> Answer<Self> {
        signal(self.child.id(), "KILL")?;
        self.child.wait()?;
        Self::start_at(&self.home, self.listen)
    }
}

impl Drop for Central {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
