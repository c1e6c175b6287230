//! The system's file dialogs: the page gets the path a person chose, and no other way to files.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tauri::AppHandle;

/// A kind of file, such as `Excel` with `xlsx`.
#[derive(Deserialize)]
pub struct Filter {
    /// As the person reads it.
    pub name: String,
    /// Without the dot.
    pub extensions: Vec<String>,
}

/// What the dialog says and offers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Options {
    /// The dialog's title.
    pub title: Option<String>,
    /// The name a new file is offered.
    pub default_name: Option<String>,
    /// Kinds of files to choose from.
    #[serde(default)]
    pub filters: Vec<Filter>,
}

/// Whether a file is to be read or written.
#[derive(Clone, Copy)]
pub enum Kind {
    /// An existing file.
    Open,
    /// A new one, or one to be replaced.
    Save,
}

/// Asks the person; `None` when the dialog was closed without a choice.
pub async fn ask(app: &AppHandle, kind: Kind, options: Options) -> Option<PathBuf> {
    let (answer, wait) = tokio::sync::oneshot::channel();
    // The toolkit wants its dialogs made on the main thread; waiting happens elsewhere.
    app.run_on_main_thread(move || {
        let mut dialog = rfd::AsyncFileDialog::new();
        if let Some(title) = options.title {
            dialog = dialog.set_title(title);
        }
        if let Some(name) = options.default_name {
            dialog = dialog.set_file_name(name);
        }
        for filter in options.filters {
            dialog = dialog.add_filter(filter.name, &filter.extensions);
        }
        match kind {
            Kind::Open => drop(tauri::async_runtime::spawn(send(dialog.pick_file(), answer))),
            Kind::Save => drop(tauri::async_runtime::spawn(send(dialog.save_file(), answer))),
        }
    })
    .ok()?;
    wait.await.ok().flatten()
}

async fn send(
    dialog: impl Future<Output = Option<rfd::FileHandle>>,
    answer: tokio::sync::oneshot::Sender<Option<PathBuf>>,
) {
    let _ = answer.send(dialog.await.map(|file| file.path().to_path_buf()));
}

/// Takes the next prepared answer: the first line of `file`, which then loses it. An empty line is a cancelled dialog.
pub fn prepared(file: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(file).ok()?;
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    fs::write(file, rest).ok()?;
    (!first.is_empty()).then(|| PathBuf::from(first))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::path::PathBuf;

    use super::prepared;

    #[test]
    fn each_prepared_answer_is_used_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("answers");
        std::fs::write(&file, "/a/出院患者.csv\n\n/b.xlsx").unwrap();
        assert_eq!(prepared(&file), Some(PathBuf::from("/a/出院患者.csv")));
        assert_eq!(prepared(&file), None);
        assert_eq!(prepared(&file), Some(PathBuf::from("/b.xlsx")));
        assert_eq!(prepared(&file), None);
    }
}
