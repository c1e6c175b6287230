//! A PC with the older version installed, a desk with patients on it, and its hospital's server behind a line that
//! can break.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use aftercare_suite::bad_line::{BadLine, Fault};
use aftercare_suite::central::Central;
use aftercare_suite::headless::{Headless, refusal};
use aftercare_suite::programs::root;
use aftercare_suite::window::Window;
use serde_json::Value;

/// The later version, as the two packages were built.
pub const LATER: &str = "99.0.0";
/// Longest wait for what happens without the page.
const PATIENCE: Duration = Duration::from_secs(60);

/// The PC. Its programs lie in `pc`, its desk's data in `desk`, beside each other.
pub struct Pc {
    pub recovery: String,
    desk: Headless,
    central: Central,
    pub line: BadLine,
    // Last, so that everybody has ended before it goes.
    folder: tempfile::TempDir,
}

fn told(name: &str) -> PathBuf {
    std::env::var_os(name).map(PathBuf::from).expect("run by `cargo xtask installer check --update`")
}

impl Pc {
    pub fn set_up() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("pc/var/lib/dpkg/updates")).unwrap();
        std::fs::write(at("pc/var/lib/dpkg/status"), b"").unwrap();
        let (desk, recovery) = Headless::set_up(&at("desk")).unwrap();
        let sample = root().join("tests/fixtures/imports/出院患者_gb18030.csv");
        desk.done(&["import", sample.to_str().unwrap()]).unwrap();

        let central = Central::start(&at("server")).unwrap();
        let server = central.address().trim_start_matches("https://").parse().unwrap();
        let line = BadLine::open(server, |_| Fault::None).unwrap();
        let address = format!("https://{}", line.address());
        desk.done(&["enrol", "--server", &address, "--code", &central.code().unwrap()]).unwrap();
        let pc = Self { recovery, desk, central, line, folder };
        pc.install(&told("AFTERCARE_PACKAGE"));
        assert_eq!(pc.version(), pc.older());
        pc
    }

    pub fn home(&self) -> PathBuf {
        self.desk.home.clone()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// As an administrator would, with the command that the window uses.
    fn install(&self, package: &Path) {
        let place = self.home().join("updates/0.0.0").join(package.file_name().unwrap());
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::copy(package, &place).unwrap();
        assert!(Command::new("pkexec").args(["dpkg", "-i"]).arg(&place).status().unwrap().success());
        assert_eq!(self.installed(), Some(0), "{}", self.said());
        std::fs::remove_dir_all(self.home().join("updates")).unwrap();
    }

    /// How the last installation ended; asked once.
    fn installed(&self) -> Option<i32> {
        let text = std::fs::read_to_string(self.at("pc/ended")).ok()?;
        let code = text.trim().parse().ok()?;
        std::fs::remove_file(self.at("pc/ended")).ok()?;
        Some(code)
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.at("pc/said")).unwrap_or_default()
    }

    fn program(&self) -> PathBuf {
        self.at("pc/usr/bin/aftercare")
    }

    /// What the installed program says it is.
    pub fn version(&self) -> String {
        version_of(&self.program())
    }

    /// The version before the update: that of this workspace.
    pub fn older(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// The release key that the programs know.
    pub fn maker(&self) -> PathBuf {
        told("AFTERCARE_RELEASE_KEY_FILE")
    }

    /// Somebody else's key.
    pub fn stranger(&self) -> PathBuf {
        let key = self.at("stranger.key");
        self.central.say(&["updates", "key", key.to_str().unwrap()]).unwrap();
        key
    }

    /// The server hands a version out, signed with a key; what it installs is the later version.
    pub fn offer(&self, version: &str, key: &Path) {
        let package = self.at(&format!("aftercare_{version}_amd64.deb"));
        std::fs::copy(told("AFTERCARE_PACKAGE_LATER"), &package).unwrap();
        let (package, key) = (package.to_str().unwrap(), key.to_str().unwrap());
        let words = ["updates", "sign", package, "--key", key, "--release", version];
        let more = ["--platform", "debian-amd64", "--notes-zh", super::NOTES, "--notes-en", super::NOTES];
        self.central.say(&[&words[..], &more[..]].concat()).unwrap();
        self.central.say(&["updates", "add", package]).unwrap();
    }

    /// Where a version's package comes to lie.
    pub fn package(&self, version: &str) -> PathBuf {
        self.home().join("updates").join(version).join(format!("aftercare_{version}_amd64.deb"))
    }

    /// The same as far as it has come.
    pub fn part(&self) -> PathBuf {
        self.package(LATER).with_extension("deb.part")
    }

    /// How far the update is, as the desk notes it.
    pub fn state(&self) -> Value {
        let text = std::fs::read(self.home().join("updates/state.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    /// The installed program's window, with alice logged in.
    pub async fn open(&self) -> Window {
        self.open_program(&self.program()).await
    }

    pub async fn open_program(&self, program: &Path) -> Window {
        let window = Window::open(program, &self.home()).await.unwrap();
        self.log_in(&window).await;
        window.find("[data-test='shell']").await.unwrap();
        window
    }

    /// The installed program's window, with nobody logged in.
    pub async fn shut(&self) -> Window {
        Window::open(&self.program(), &self.home()).await.unwrap()
    }

    pub async fn log_in(&self, window: &Window) {
        window.ready().await.unwrap();
        window.fill("[data-test='login-name']", &self.desk.user).await.unwrap();
        window.fill("[data-test='login-password']", &self.desk.password).await.unwrap();
        window.click("[data-test='login-submit']").await.unwrap();
    }

    /// Looks for a new version on the page, until the look has ended.
    pub async fn look(&self, window: &Window) {
        window.go("#/settings/updates").await.unwrap();
        let before = self.looked_at();
        window.click("[data-test='updates-look']").await.unwrap();
        self.becomes(|| (self.looked_at() != before).then_some(()));
        window.find("[data-test='updates-look']:not(.is-loading)").await.unwrap();
    }

    fn looked_at(&self) -> Option<i64> {
        let text = std::fs::read(self.home().join("updates/state.json")).ok()?;
        serde_json::from_slice::<Value>(&text).ok()?["looked_at"].as_i64()
    }

    /// Closes the window and waits until what it started at its end has installed the update.
    pub fn close(&self, window: Window) {
        let (source, closer) =
            (root().join("tests/suite/tests/update/close-window.c"), self.at("close-window"));
        let built = Command::new("cc").arg("-o").arg(&closer).arg(source).arg("-lX11").status();
        assert!(built.unwrap().success());
        let program = running(&self.program()).unwrap();
        assert!(Command::new(closer).arg(program.to_string()).status().unwrap().success());
        self.becomes(|| self.at("pc/ended").exists().then_some(()));
        assert_eq!(self.installed(), Some(0), "{}", self.said());
        self.becomes(|| (!Path::new(&format!("/proc/{program}")).exists()).then_some(()));
        window.kill();
    }

    /// The installed program, started as from the menu.
    pub fn start(&self) -> Command {
        let mut command = Command::new(self.program());
        command.arg("--home").arg(self.home());
        command
    }

    /// Everything the desk has logged.
    pub fn log(&self) -> String {
        let files = std::fs::read_dir(self.home().join("logs")).unwrap().flatten();
        files.map(|file| std::fs::read_to_string(file.path()).unwrap_or_default()).collect()
    }

    /// Waits for something.
    pub fn becomes<T>(&self, what: impl Fn() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = what() {
                return found;
            }
            assert!(begun.elapsed() < PATIENCE, "it did not come");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Whether the installed command line finds somebody.
    pub fn finds(&self, name: &str) -> bool {
        let said = self.cli(&self.at("pc/usr/bin/aftercare-cli"), &["find", name]);
        String::from_utf8_lossy(&said.stdout).contains("patient_id")
    }

    /// The same with the older version's command line.
    pub fn finds_with_older(&self, name: &str) -> bool {
        self.desk.done(&["find", name]).unwrap().to_string().contains("patient_id")
    }

    /// How the older version's command line is refused.
    pub fn older_refuses(&self) -> Option<String> {
        refusal(&self.desk.run(&["doctor"]).unwrap()).ok()
    }

    fn cli(&self, program: &Path, words: &[&str]) -> std::process::Output {
        let plain = self.desk.command(words).unwrap();
        let mut command = Command::new(program);
        command.args(plain.get_args());
        command.env("AFTERCARE_PASSWORD", &self.desk.password).output().unwrap()
    }
}

fn version_of(program: &Path) -> String {
    let said = Command::new(program).arg("--version").output().unwrap();
    String::from_utf8(said.stdout).unwrap().split_whitespace().last().unwrap().to_owned()
}

/// The process that runs a program.
pub fn running(program: &Path) -> Option<u32> {
    let program = std::fs::canonicalize(program).ok()?;
    std::fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        (std::fs::read_link(entry.path().join("exe")).ok()? == program).then_some(id)
    })
}
