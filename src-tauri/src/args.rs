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
