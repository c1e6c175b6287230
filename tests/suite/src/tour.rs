//! The picture tour: every page of the program, photographed in the real window as a person would come to it.

mod stops;

use std::path::Path;

use crate::Answer;
use crate::demo::{AUDITOR, EXPERT, LOGIN, PASSWORD};
use crate::programs::folder;
use crate::window::{Window, remember_size};

use stops::{AUDIT, CALL, EVERY, FIRST_RUN, INBOX, LOOKS};

/// The office PC and the comfortable one.
const SIZES: [(u32, u32); 2] = [(1366, 768), (1920, 1080)];
/// As in the file names and as the page names them. English first: the window is left in Chinese.
const LANGUAGES: [(&str, &str); 2] = [("en", "en"), ("zh", "zh-CN")];
/// Per cent; the largest that the settings offer.
const LARGE: &str = "150";

/// One thing a person does or sees.
#[derive(Clone, Copy)]
pub enum Stop {
    /// Goes to an address and waits until its page is ready.
    Go(&'static str),
    /// Clicks on what the selector finds.
    Click(&'static str),
    /// Clicks by script, for enlarged pages.
    Touch(&'static str),
    /// Opens a patient of the queue who has not been opened yet.
    NextInQueue,
    /// Types into an input.
    Fill(&'static str, &'static str),
    /// Presses keys, as WebDriver writes them.
    Key(&'static str),
    /// Waits until the route is shown and ready.
    Page(&'static str),
    /// Waits until the selector finds something that can be seen.
    See(&'static str),
    /// The next file dialog answers with the sample extract.
    Choose,
    /// A picture of this name.
    Picture(&'static str),
}

/// Walks through everything on a copy of `home` and stores the pictures in `pictures`; answers with their number.
///
/// # Errors
/// When a page does not come or cannot be photographed.
pub async fn tour(home: &Path, pictures: &Path, extract: &Path) -> Answer<usize> {
    // What the tour types and claims is nobody's work: the next tour finds the hospital as it was made.
    let copy = tempfile::tempdir()?;
    copy_folder(home, copy.path())?;
    let home = copy.path();
    let mut album = Album { pictures, extract, language: "zh", size: SIZES[0], look: "", queue: 0, count: 0 };
    for size in SIZES {
        album.size = size;
        album.first_run().await?;
        let window = album.open(home).await?;
        album.picture(&window, "login").await?;
        log_in(&window, LOGIN).await?;
        for (language, locale) in LANGUAGES {
            speak(&window, locale).await?;
            album.language = language;
            for stops in EVERY {
                album.walk(&window, stops).await?;
            }
        }
        album.looks(&window).await?;
        window.click("[data-test='lock']").await?;
        album.picture(&window, "lock").await?;
        window.close().await?;
        for (login, stops) in [(EXPERT, INBOX), (AUDITOR, AUDIT)] {
            let window = album.open(home).await?;
            log_in(&window, login).await?;
            for (language, locale) in LANGUAGES {
                speak(&window, locale).await?;
                album.language = language;
                album.walk(&window, stops).await?;
            }
            window.close().await?;
        }
    }
    Ok(album.count)
}

fn copy_folder(from: &Path, to: &Path) -> Answer {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

async fn log_in(window: &Window, login: &str) -> Answer {
    window.fill("[data-test='login-name']", login).await?;
    window.fill("[data-test='login-password']", PASSWORD).await?;
    window.touch("[data-test='login-submit']").await?;
    window.find("[data-test='shell']").await?;
    // A tour that was broken off may have left another look.
    set(window, "theme-light").await?;
    set(window, "scale-100").await
}

async fn speak(window: &Window, locale: &str) -> Answer {
    set(window, &format!("locale-{locale}")).await
}

/// Chooses something on the page of language, theme and size.
async fn set(window: &Window, choice: &str) -> Answer {
    window.go("#/settings/appearance").await?;
    window.touch(&format!("[data-test='{choice}']")).await
}

/// Where pictures go and how they are named.
struct Album<'a> {
    pictures: &'a Path,
    extract: &'a Path,
    language: &'static str,
    size: (u32, u32),
    /// Such as `dark-`; the usual look has no name.
    look: &'static str,
    /// Patients of the queue opened so far.
    queue: usize,
    count: usize,
}

impl Album<'_> {
    /// It opens as large as it was closed.
    async fn open(&self, home: &Path) -> Answer<Window> {
        remember_size(home, self.size.0, self.size.1)?;
        let window = Window::open(&folder()?.join("aftercare"), home).await?;
        window.ready().await?;
        Ok(window)
    }

    /// The wizard on a PC without data.
    async fn first_run(&mut self) -> Answer {
        for (language, _) in LANGUAGES {
            self.language = language;
            let home = tempfile::tempdir()?;
            let window = self.open(home.path()).await?;
            if language == "en" {
                window.click("[data-test='language']").await?;
            }
            self.walk(&window, FIRST_RUN).await?;
            window.close().await?;
        }
        Ok(())
    }

    /// The main pages in the dark, and the call page as large as it goes.
    async fn looks(&mut self, window: &Window) -> Answer {
        set(window, "theme-dark").await?;
        self.look = "dark-";
        self.walk(window, LOOKS).await?;
        set(window, "theme-light").await?;
        set(window, &format!("scale-{LARGE}")).await?;
        self.look = "large-";
        self.walk(window, CALL).await?;
        set(window, "scale-100").await?;
        self.look = "";
        Ok(())
    }

    async fn walk(&mut self, window: &Window, stops: &[Stop]) -> Answer {
        for stop in stops {
            match *stop {
                Stop::Go(address) => window.go(address).await?,
                Stop::Click(css) => window.click(css).await?,
                Stop::Touch(css) => window.touch(css).await?,
                Stop::NextInQueue => self.next_in_queue(window).await?,
                Stop::Fill(css, text) => window.fill(css, text).await?,
                Stop::Key(key) => window.press(key).await?,
                Stop::Page(page) => window.arrived(page).await?,
                Stop::See(css) => window.find(css).await.map(|_| ())?,
                Stop::Choose => window.answer_dialog(self.extract)?,
                Stop::Picture(name) => self.picture(window, name).await?,
            }
        }
        Ok(())
    }

    /// Every picture of a call wants a patient in whose form nothing has been typed. The first ones of the list have
    /// been called already.
    async fn next_in_queue(&mut self, window: &Window) -> Answer {
        self.queue += 1;
        let row = format!("[data-test='queue'] [data-patient]:nth-child({})", 4 + self.queue);
        window.touch(&row).await?;
        window.arrived("followup").await?;
        window.find("[data-test='call']").await.map(|_| ())
    }

    /// The page as it is now.
    async fn picture(&mut self, window: &Window, name: &str) -> Answer {
        window.settled().await?;
        let (width, height) = self.size;
        let file = format!("{}-{width}x{height}-{}{name}.png", self.language, self.look);
        window.photograph(&self.pictures.join(&file)).await?;
        println!("{file}");
        self.count += 1;
        Ok(())
    }
}
