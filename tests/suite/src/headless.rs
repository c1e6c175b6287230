//! The command line as another program runs it, and the loopback host as a page does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::Answer;
use crate::programs::{built, root};

/// A desk in a folder, reached through the command line.
#[derive(Clone)]
pub struct Headless {
    /// The data folder.
    pub home: PathBuf,
    /// Who works.
    pub user: String,
    /// Their password.
    pub password: String,
}

impl Headless {
    /// A new hospital with one person; answers with the recovery code too.
    ///
    /// # Errors
    /// When set-up fails.
    pub fn set_up(home: &Path) -> Answer<(Self, String)> {
        let desk =
            Self { home: home.to_path_buf(), user: "alice".into(), password: "correct horse 42".into() };
        let made = desk.done(&["init", "--hospital", "青山县人民医院", "--site", "本部"])?;
        let code = made["recovery_code"].as_str().ok_or("init answers with a recovery code")?;
        Ok((desk.clone(), code.to_owned()))
    }

    /// The program with these words, ready to be run.
    ///
    /// # Errors
    /// When it does not build.
    pub fn command(&self, words: &[&str]) -> Answer<Command> {
        let mut command = Command::new(built("aftercare-cli")?);
        command.args(words).arg("--json").arg("--home").arg(&self.home).args(["--user", &self.user]);
        command.env("AFTERCARE_PASSWORD", &self.password).env_remove("AFTERCARE_RECOVERY_CODE");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(command)
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn run(&self, words: &[&str]) -> Answer<Output> {
        Ok(self.command(words)?.output()?)
    }

    /// Runs it with more said to it by its environment.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn run_told(&self, words: &[&str], told: &[(&str, &str)]) -> Answer<Output> {
        Ok(self.command(words)?.envs(told.iter().copied()).output()?)
    }

    /// Runs what must succeed; answers with its JSON.
    ///
    /// # Errors
    /// When it does not.
    pub fn done(&self, words: &[&str]) -> Answer<Value> {
        let output = self.run(words)?;
        if !output.status.success() {
            return Err(format!("{words:?} failed: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Runs what must be refused; answers with the error's code.
    ///
    /// # Errors
    /// When it succeeds, dies of a signal, or says anything but one JSON line.
    pub fn refused(&self, words: &[&str]) -> Answer<String> {
        refusal(&self.run(words)?)
    }

    /// Starts it and lets it run.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self, words: &[&str]) -> Answer<Child> {
        Ok(self.command(words)?.spawn()?)
    }

    /// Runs it and watches its memory: with the output, the most it ever held, in megabytes.
    ///
    /// The kernel keeps the high-water mark; what is read last before the end is the peak.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn run_measured(&self, words: &[&str]) -> Answer<(Output, u64)> {
        let mut running = self.start(words)?;
        let status = format!("/proc/{}/status", running.id());
        let mut peak = 0;
        while running.try_wait()?.is_none() {
            peak = peak.max(high_water_kilobytes(&status));
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok((running.wait_with_output()?, peak / 1024))
    }

    /// Runs it with files limited to `kilobytes` each: a write beyond fails, as on a full disk.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn run_with_little_disk(&self, kilobytes: u64, words: &[&str]) -> Answer<Output> {
        let plain = self.command(words)?;
        let mut limited = Command::new("bash");
        // Ignoring the signal lets the write itself fail.
        limited.args(["-c", &format!("trap '' XFSZ; ulimit -f {kilobytes}; exec \"$@\""), "bash"]);
        limited.arg(plain.get_program()).args(plain.get_args());
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => limited.env(name, value),
                None => limited.env_remove(name),
            };
        }
        Ok(limited.stdin(Stdio::null()).output()?)
    }
}

/// `VmHWM` of a process; 0 when it has just ended.
fn high_water_kilobytes(status: &str) -> u64 {
    let text = std::fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
}

/// The code of a refusal: exit code above 0, one JSON line with code and message on standard error.
///
/// # Errors
/// When the output is anything else.
pub fn refusal(output: &Output) -> Answer<String> {
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(code) if code > 0 => {}
        other => return Err(format!("a refusal ends with an exit code, not {other:?}: {said}").into()),
    }
    let line: Value = serde_json::from_str(said.trim()).map_err(|error| format!("{error}: {said}"))?;
    let text = |key: &str| line.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    text("message").ok_or("a refusal says what to do")?;
    Ok(text("code").ok_or("a refusal has a code")?.to_owned())
}

/// A running loopback host: the window's core in a process that can be killed.
pub struct Served {
    child: Child,
    address: String,
}

impl Served {
    /// Starts it on a data folder.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(home: &Path) -> Answer<Self> {
        Self::start_told(home, &[])
    }

    /// The same with more said to it by its environment.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_told(home: &Path, told: &[(&str, &str)]) -> Answer<Self> {
        let mut command = Command::new(built("aftercare-host")?);
        command.arg("--home").arg(home).arg("--ui").arg(root().join("ui/dist"));
        command.envs(told.iter().copied());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let address = line.trim().strip_prefix("http://").ok_or("the host prints its address")?.to_owned();
        Ok(Self { child, address })
    }

    /// Calls a command and waits for its answer.
    ///
    /// # Errors
    /// When it is refused or the host is gone.
    pub fn call(&self, command: &str, request: &Value) -> Answer<Value> {
        let body = request.to_string();
        let mut stream = TcpStream::connect(&self.address)?;
        write!(
            stream,
            "POST /rpc/{command} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("a cut answer")?;
        if !head.starts_with("HTTP/1.1 200") {
            return Err(format!("{command}: {body}").into());
        }
        Ok(serde_json::from_str(body)?)
    }

    /// Logs in.
    ///
    /// # Errors
    /// When it is refused.
    pub fn log_in(&self, desk: &Headless) -> Answer<Value> {
        self.call("session_login", &json!({ "login": desk.user, "password": desk.password }))
    }

    /// The process, for a test that ends it.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end; whether that was kill −9.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn was_killed(mut self) -> Answer<bool> {
        Ok(self.child.wait()?.signal() == Some(9))
    }

    /// Ends it as a power cut would: no signal handler, no last write.
    ///
    /// # Errors
    /// When it is not there any more.
    pub fn kill(mut self) -> Answer {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal by name, such as `STOP`.
///
/// # Errors
/// When the process is gone.
pub fn signal(process: u32, name: &str) -> Answer {
    let sent = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status()?;
    if sent.success() { Ok(()) } else { Err(format!("process {process} is gone").into()) }
}
