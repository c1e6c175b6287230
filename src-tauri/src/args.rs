//! How the program is started.

use std::path::PathBuf;

use clap::Parser;

/// 随访台: the desk of a hospital's follow-up and customer care.
#[derive(Parser, Clone, Debug)]
#[command(name = "aftercare", version)]
pub struct Args {
    /// The data folder; by default the platform's own place for this user's data.
    #[arg(long, value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// A link of ours that somebody clicked, such as `aftercare:`; it brings the window to the front.
    #[arg(value_name = "LINK", value_parser = link)]
    pub link: Option<String>,
    /// Tests only: answers file dialogs with the lines of this file, one for each dialog.
    #[cfg(debug_assertions)]
    #[arg(long, value_name = "FILE", hide = true)]
    pub test_dialogs: Option<PathBuf>,
    /// Tests only: writes dialled addresses to this file instead of handing them to the phone program.
    #[cfg(debug_assertions)]
    #[arg(long, value_name = "FILE", hide = true)]
    pub test_dials: Option<PathBuf>,
}

impl Args {
    /// The file that answers dialogs; never in a release build.
    pub fn dialog_answers(&self) -> Option<PathBuf> {
        #[cfg(debug_assertions)]
        return self.test_dialogs.clone();
        #[cfg(not(debug_assertions))]
        return None;
    }

    /// The file that collects dialled addresses; never in a release build.
    pub fn dial_log(&self) -> Option<PathBuf> {
        #[cfg(debug_assertions)]
        return self.test_dials.clone();
        #[cfg(not(debug_assertions))]
        return None;
    }
}

/// Links come from other programs and pages: nothing of them is used but that they are ours.
fn link(text: &str) -> Result<String, String> {
    let ours = text.split_once(':').is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("aftercare"));
    if ours { Ok("aftercare:".to_owned()) } else { Err("not a link of Aftercare".to_owned()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::Parser;

    use super::Args;

    #[test]
    fn a_link_of_ours_is_taken_and_nothing_of_it_is_kept() {
        for text in ["aftercare:", "AFTERCARE:open", "aftercare:--home=/elsewhere"] {
            let args = Args::try_parse_from(["aftercare", text]).unwrap();
            assert_eq!(args.link.as_deref(), Some("aftercare:"));
            assert!(args.home.is_none());
        }
        for text in ["https://example.com", "aftercare", "/etc/passwd"] {
            assert!(Args::try_parse_from(["aftercare", text]).is_err(), "{text}");
        }
    }
}
