//! The desk without a window: nightly imports, exports, backup, doctor.

mod archive;
mod args;
mod complaints;
mod desk;
mod failure;
mod followup;
mod forms;
mod imports;
mod reports;
mod secret;
mod session;
mod settings;
mod surveys;
mod sync;
mod words;

use std::io::Write;
use std::process::ExitCode;

use aftercare_core::words::Language;
use clap::Parser;
use serde_json::Value;

use crate::args::{Audit, Cli, Command, Complaints, Export, Forms, Report, Stick, Survey};
use crate::desk::Desk;
use crate::failure::Failure;

/// What a subcommand ends with: for programs, and for people.
struct Answer {
    /// As documented for `--json`.
    json: Value,
    /// In the person's language.
    text: String,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if !error.use_stderr() => {
            // Help and version, asked for.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        Err(error) => return failed(&Failure::usage(&error.to_string())),
    };
    match run(&cli) {
        Ok(answer) => printed(&cli, &answer),
        Err(failure) => {
            if let Some(found) = &failure.found {
                printed(&cli, found);
            }
            failed(&failure)
        }
    }
}

fn run(cli: &Cli) -> Result<Answer, Failure> {
    let language = Language::of_system();
    let desk = || Desk::open(&cli.global, language);
    match &cli.command {
        Command::Init { hospital, site } => session::init(&cli.global, language, hospital, site),
        Command::Import { file, dry_run, report } => {
            imports::import(&desk()?, file, *dry_run, report.as_deref())
        }
        Command::UndoImport { batch } => imports::undo(&desk()?, batch),
        Command::Find { query, limit } => archive::find(&desk()?, query, *limit),
        Command::Patient { mrn } => archive::patient(&desk()?, mrn),
        Command::Worklist { on } => followup::worklist(&desk()?, on.as_deref()),
        Command::Export { what: Export::Followups { from, to, out } } => {
            reports::followups(&desk()?, from, to, out)
        }
        Command::Audit { what: Audit::Verify } => session::verify(&desk()?),
        Command::Backup { file } => settings::backup(&desk()?, file),
        Command::Restore { file } => settings::restore(&cli.global, language, file),
        Command::Enrol { server, code } => sync::enrol(&cli.global, language, server, code),
        Command::Sync { stick: Some(Stick::ExportUsb { file }), .. } => sync::export_usb(&desk()?, file),
        Command::Sync { stick: Some(Stick::ImportUsb { file }), .. } => sync::import_usb(&desk()?, file),
        Command::Sync { once, stick: None } => sync::sync(&cli.global, language, *once),
        Command::Erase { mrn, confirm } => sync::erase(&desk()?, mrn, *confirm),
        Command::Conflicts => sync::conflicts(&desk()?),
        Command::Complaints { what: Complaints::Register { file } } => complaints::register(&desk()?, file),
        Command::Complaints { what: Complaints::Move { number, name, text, form } } => {
            complaints::make_move(&desk()?, number, name, text.as_deref(), form.as_deref())
        }
        Command::Complaints { what: Complaints::List { view, department, limit } } => {
            complaints::list(&desk()?, view, department.as_deref(), *limit)
        }
        Command::Survey { what: Survey::Summary { from, to, kind } } => {
            surveys::summary(&desk()?, from, to, kind.as_deref())
        }
        Command::Forms { what: Forms::Export { code, file, version } } => {
            forms::export(&desk()?, code, file, version.as_deref())
        }
        Command::Forms { what: Forms::Import { file } } => forms::import(&desk()?, file),
        Command::Forms { what: Forms::Validate { questionnaire, response } } => {
            forms::validate(language, questionnaire, response)
        }
        Command::Deadline { from, days } => complaints::deadline(&cli.global, language, from, *days),
        Command::Report { what: Report::Month { month, out, template, sheets } } => {
            reports::month(&desk()?, month, out, template.as_deref(), sheets)
        }
        Command::Report { what: Report::Freeze { month, reason } } => {
            reports::freeze(&desk()?, month, reason)
        }
        Command::Doctor => settings::doctor(&desk()?),
    }
}

/// A pipe that is closed early (`| head`) is no failure of the work, but an answer that nobody got is none.
fn printed(cli: &Cli, answer: &Answer) -> ExitCode {
    let text = if cli.global.json { answer.json.to_string() } else { answer.text.clone() };
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn failed(failure: &Failure) -> ExitCode {
    let line = serde_json::json!({ "code": failure.code, "message": failure.message });
    // With standard error closed there is nobody to tell; the exit code still does.
    let _ = writeln!(std::io::stderr(), "{line}");
    ExitCode::FAILURE
}
