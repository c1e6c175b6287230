//! Driving the real window through WebDriver: one driver, one window, one session each.

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};

use crate::Answer;

/// Longest wait for anything on the page; a loaded machine is slow, a broken page waits for ever.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks at the page.
const PAUSE: Duration = Duration::from_millis(50);

/// An open window of the program.
pub struct Window {
    client: Client,
    driver: Driver,
    answers: PathBuf,
    dialled: PathBuf,
}

/// The driver's processes; dropping it ends them all, the window too.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        // The driver starts WebKit's own driver, which would stay: they share a process group.
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.0.id())]).status();
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Window {
    /// Opens `program` on the data folder `home`. Needs `DISPLAY`, and `TAURI_DRIVER` with the driver's path.
    ///
    /// # Errors
    /// When there is no display or driver, or the window does not open.
    pub async fn open(program: &Path, home: &Path) -> Answer<Self> {
        if std::env::var_os("DISPLAY").is_none() {
            return Err("no DISPLAY; run `cargo xtask e2e`, which makes one".into());
        }
        std::fs::create_dir_all(home)?;
        let (answers, dialled) = (home.join("test-dialogs"), home.join("test-dials"));
        let (driver, port) = start_driver().await?;
        let args = [
            "--home".to_owned(),
            home.display().to_string(),
            "--test-dialogs".to_owned(),
            answers.display().to_string(),
            "--test-dials".to_owned(),
            dialled.display().to_string(),
        ];
        let mut capabilities = Map::new();
        capabilities.insert("browserName".into(), json!("wry"));
        capabilities.insert("tauri:options".into(), json!({ "application": program, "args": args }));
        let address = format!("http://127.0.0.1:{port}");
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = within("open", builder.capabilities(capabilities).connect(&address)).await?;
        Ok(Self { client, driver, answers, dialled })
    }

    /// Closes the window as a person would and waits for the driver to end.
    ///
    /// # Errors
    /// When the driver refuses.
    pub async fn close(self) -> Answer {
        within("close", self.client.close()).await?;
        drop(self.driver);
        Ok(())
    }

    /// Ends everything at once, as a power cut would.
    pub fn kill(self) {
        drop(self.driver);
    }

    /// The element at `css`, as soon as it is on the page and can be seen.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn find(&self, css: &str) -> Answer<Element> {
        let begun = Instant::now();
        loop {
            if let Ok(element) = within(css, self.client.find(Locator::Css(css))).await
                && within(css, element.is_displayed()).await.unwrap_or(false)
            {
                return Ok(element);
            }
            self.wait_on(begun, &format!("`{css}`")).await?;
        }
    }

    /// Clicks it. A page that is still moving is tried again.
    ///
    /// # Errors
    /// When it cannot be clicked.
    pub async fn click(&self, css: &str) -> Answer {
        let begun = Instant::now();
        loop {
            if within("click", self.find(css).await?.click()).await.is_ok() {
                return Ok(());
            }
            self.wait_on(begun, &format!("a click on `{css}`")).await?;
        }
    }

    /// Clicks it by script: the driver's own click misses on a page that is enlarged.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn touch(&self, css: &str) -> Answer {
        self.find(css).await?;
        self.script("document.querySelector(arguments[0]).click()", vec![json!(css)]).await.map(|_| ())
    }

    /// Replaces the text of an input. The driver drops characters like 𠮷 when typing, so the value is set and
    /// announced as the page's own framework does.
    ///
    /// # Errors
    /// When there is no such input.
    pub async fn fill(&self, css: &str, text: &str) -> Answer {
        self.find(css).await?;
        let script = "const [css, text] = arguments; const input = document.querySelector(css);
            const kind = input instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
            input.focus();
            Object.getOwnPropertyDescriptor(kind.prototype, 'value').set.call(input, text);
            input.dispatchEvent(new Event('input', { bubbles: true }));
            input.dispatchEvent(new Event('change', { bubbles: true }));";
        self.script(script, vec![json!(css), json!(text)]).await?;
        Ok(())
    }

    /// Types keys into whatever has the focus, such as `\u{E007}` for Enter.
    ///
    /// # Errors
    /// When nothing takes them.
    pub async fn press(&self, keys: &str) -> Answer {
        let focused = within("focus", self.client.active_element()).await?;
        within("keys", focused.send_keys(keys)).await
    }

    /// The text at `css`.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn text(&self, css: &str) -> Answer<String> {
        let element = self.find(css).await?;
        within(css, element.text()).await
    }

    /// Waits until the page says `text` somewhere.
    ///
    /// # Errors
    /// When it does not.
    pub async fn says(&self, text: &str) -> Answer {
        let begun = Instant::now();
        loop {
            let body = self.script("return document.body.innerText", vec![]).await?;
            if body.as_str().is_some_and(|body| body.contains(text)) {
                return Ok(());
            }
            self.wait_on(begun, &format!("the words `{text}`")).await?;
        }
    }

    /// Runs JavaScript in the page; for what a person sees but no element says.
    ///
    /// # Errors
    /// When the script fails.
    pub async fn script(&self, script: &str, args: Vec<Value>) -> Answer<Value> {
        within(script, self.client.execute(script, args)).await
    }

    /// Goes to a route of the page, such as `#/worklist`, and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn go(&self, route: &str) -> Answer {
        self.script("location.hash = arguments[0]", vec![json!(route)]).await?;
        self.ready().await
    }

    /// Waits until the page of the address is shown and ready to be used.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn ready(&self) -> Answer {
        self.shown(None).await
    }

    /// Waits until the route `page`, such as `reports.figures`, is shown and ready: after a click the page before it
    /// stays for a moment, ready as it was.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn arrived(&self, page: &str) -> Answer {
        self.shown(Some(page)).await
    }

    async fn shown(&self, page: Option<&str>) -> Answer {
        let script = "const place = document.querySelector('[data-path]');
            if (!place) return arguments[0] === null && !!document.querySelector('[data-ready=\"true\"]');
            const here = [place.dataset.path, location.hash.slice(1)].map(decodeURIComponent);
            return here[0] === here[1] && (arguments[0] ?? place.dataset.page) === place.dataset.page
              && !!place.querySelector('[data-ready=\"true\"]')";
        let begun = Instant::now();
        while self.script(script, vec![json!(page)]).await? != json!(true) {
            self.wait_on(begun, &format!("the page {}", page.unwrap_or("of the address"))).await?;
        }
        Ok(())
    }

    /// Waits until the page is ready and nothing on it moves any more.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn settled(&self) -> Answer {
        self.ready().await?;
        let begun = Instant::now();
        let moving = "return document.getAnimations().some((animation) => animation.playState === 'running'
            && animation.effect?.getComputedTiming().iterations !== Infinity)";
        while self.script(moving, vec![]).await? == json!(true) && begun.elapsed() < PATIENCE {
            tokio::time::sleep(PAUSE).await;
        }
        // One more frame: charts draw after their size is known.
        tokio::time::sleep(PAUSE * 4).await;
        Ok(())
    }

    /// Stores what the display shows where the window is. The driver's own screenshot waits for a frame that a page
    /// at rest may never draw.
    ///
    /// # Errors
    /// When it cannot be stored; `import` is ImageMagick's.
    pub async fn photograph(&self, file: &Path) -> Answer {
        // Inner sizes shrink on an enlarged page; the window has no frame here.
        let place = self.script("return [outerWidth, outerHeight, screenX, screenY]", vec![]).await?;
        let pixels = |index: usize| place[index].as_f64().unwrap_or(0.0).max(0.0);
        let crop = format!("{}x{}+{}+{}", pixels(0), pixels(1), pixels(2), pixels(3));
        let taken =
            Command::new("import").args(["-window", "root", "-crop", &crop, "+repage"]).arg(file).status()?;
        if taken.success() { Ok(()) } else { Err(format!("no picture: `import` ended with {taken}").into()) }
    }

    /// The window's title.
    ///
    /// # Errors
    /// When the window is gone.
    pub async fn title(&self) -> Answer<String> {
        within("title", self.client.title()).await
    }

    /// Answers the next file dialog with `path`.
    ///
    /// # Errors
    /// When the answer cannot be stored.
    pub fn answer_dialog(&self, path: &Path) -> Answer {
        let waiting = std::fs::read_to_string(&self.answers).unwrap_or_default();
        Ok(std::fs::write(&self.answers, format!("{waiting}{}\n", path.display()))?)
    }

    /// The addresses dialled so far.
    pub fn dialled(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.dialled).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    async fn wait_on(&self, begun: Instant, what: &str) -> Answer {
        if begun.elapsed() > PATIENCE {
            let shown = self.script("return location.href + '\\n' + document.body.innerText", vec![]).await?;
            return Err(
                format!("{what} did not come; the page shows: {}", shown.as_str().unwrap_or("?")).into()
            );
        }
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }
}

/// A driver that never answers must not hold up a whole test run.
async fn within<T, E>(what: &str, answer: impl Future<Output = Result<T, E>>) -> Answer<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(format!("the window's driver does not answer: {what}").into()),
    }
}

/// Gives the next window on `home` this size, as if it had been closed with it.
///
/// # Errors
/// When it cannot be stored.
pub fn remember_size(home: &Path, width: u32, height: u32) -> Answer {
    let size = json!({ "width": width, "height": height, "maximized": false });
    Ok(std::fs::write(home.join("window.json"), size.to_string())?)
}

/// Starts the driver on free ports; a port taken by somebody else meanwhile is tried again.
async fn start_driver() -> Answer<(Driver, u16)> {
    let program = std::env::var_os("TAURI_DRIVER").ok_or("no TAURI_DRIVER; run `cargo xtask e2e`")?;
    for _ in 0..5 {
        let (port, native) = (free_port()?, free_port()?);
        let child = Command::new(&program)
            .args(["--port", &port.to_string(), "--native-port", &native.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let mut driver = Driver(child);
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE && driver.0.try_wait()?.is_none() {
            let both = [port, native].map(|port| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
            if both == [true, true] {
                return Ok((driver, port));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    Err("the window's driver does not start".into())
}

fn free_port() -> Answer<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
