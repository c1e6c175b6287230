//! The command line: global options before or after the subcommand.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// 随访台 headless: nightly imports, exports, backup, doctor.
///
/// The password comes from AFTERCARE_PASSWORD, or is asked for on a terminal. Exit code 0 means done; an error is one JSON line on standard error.
#[derive(Parser)]
#[command(name = "aftercare-cli", version)]
pub struct Cli {
    /// Where the data are and who works on them.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every subcommand.
#[derive(Args)]
pub struct Global {
    /// The data folder.
    #[arg(long, global = true, value_name = "DIR")]
    home: Option<PathBuf>,
    /// The user's name.
    #[arg(long, global = true, value_name = "U")]
    user: Option<String>,
    /// Answer in JSON.
    #[arg(long, global = true)]
    pub json: bool,
}

impl Global {
    /// The data folder.
    pub fn home(&self) -> Option<&std::path::Path> {
        self.home.as_deref()
    }

    /// The user's name.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }
}

/// Everything the command line can do.
#[derive(Subcommand)]
pub enum Command {
    /// Set up a hospital in an empty folder; the user becomes its administrator.
    Init {
        /// The hospital's name.
        #[arg(long, value_name = "H")]
        hospital: String,
        /// The site's name.
        #[arg(long, value_name = "S")]
        site: String,
    },
    /// Import an extract of the HIS.
    Import {
        /// CSV, TSV, xlsx, xls, et, dbf or HTML.
        file: PathBuf,
        /// Say what would happen, write nothing.
        #[arg(long)]
        dry_run: bool,
        /// Write the refused rows to an Excel file.
        #[arg(long, value_name = "X.xlsx")]
        report: Option<PathBuf>,
    },
    /// Take a whole import back.
    UndoImport {
        /// As `import` answered.
        batch: String,
    },
    /// Find patients by name, pinyin, phone, ID tail or hospital number.
    Find {
        /// What to look for.
        query: String,
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,
    },
    /// One patient with everything known.
    Patient {
        /// The hospital number (病案号).
        #[arg(long, value_name = "N")]
        mrn: String,
    },
    /// What is due.
    Worklist {
        /// Another day than today, as 2026-11-22.
        #[arg(long, value_name = "DATE")]
        on: Option<String>,
    },
    /// Write Excel files.
    Export {
        /// What to write.
        #[command(subcommand)]
        what: Export,
    },
    /// The audit trail.
    Audit {
        /// What to do with it.
        #[command(subcommand)]
        what: Audit,
    },
    /// Write an encrypted backup and verify it.
    Backup {
        /// Where to.
        file: PathBuf,
    },
    /// Put a backup into an empty folder. On another PC the printed recovery code opens it
    /// (asked for on a terminal, or AFTERCARE_RECOVERY_CODE) and the password becomes the user's new one there.
    Restore {
        /// As `backup` wrote it.
        file: PathBuf,
    },
    /// Join a hospital's server: with everything this desk has, or, from an empty folder, as a new PC.
    Enrol {
        /// `host`, `host:port` or `https://host:port`.
        #[arg(long, value_name = "URL")]
        server: String,
        /// The administrator's one-time code.
        #[arg(long, value_name = "C")]
        code: String,
    },
    /// Meet the server every few minutes; with --once a single time.
    Sync {
        /// One round, then end.
        #[arg(long)]
        once: bool,
        /// Where there is no network.
        #[command(subcommand)]
        stick: Option<Stick>,
    },
    /// Ask for a patient's erasure everywhere; another person confirms it.
    Erase {
        /// The hospital number (病案号).
        #[arg(long, value_name = "N")]
        mrn: String,
        /// Confirm what another person has asked for.
        #[arg(long)]
        confirm: bool,
    },
    /// What two people changed without knowing of each other.
    Conflicts,
    /// Complaints: register, move on, list.
    Complaints {
        /// What to do.
        #[command(subcommand)]
        what: Complaints,
    },
    /// Satisfaction surveys: the figures of a period.
    Survey {
        /// What to do.
        #[command(subcommand)]
        what: Survey,
    },
    /// Plans and questionnaires as FHIR R4: export, import, check answers.
    Forms {
        /// What to do.
        #[command(subcommand)]
        what: Forms,
    },
    /// The last day to answer something that was received on a day; with --home by the hospital's calendar, else by the
    /// one that ships.
    Deadline {
        /// The day of receipt, as 2026-11-16; it does not count.
        #[arg(long, value_name = "D")]
        from: String,
        /// Working days.
        #[arg(long, value_name = "N")]
        days: u32,
    },
    /// The month's report, and freezing a month.
    Report {
        /// What to do.
        #[command(subcommand)]
        what: Report,
    },
    /// Check the database, its key slots, the audit trail and the change log.
    Doctor,
}

/// How to meet the server without a network.
#[derive(Subcommand)]
pub enum Stick {
    /// Write everything unsent to an encrypted file for the server.
    ExportUsb {
        /// The file.
        file: PathBuf,
    },
    /// Take in what the server has answered to such a file.
    ImportUsb {
        /// The file.
        file: PathBuf,
    },
}

/// What can be exported.
#[derive(Subcommand)]
pub enum Export {
    /// The follow-ups of a period.
    Followups {
        /// First day, as 2026-11-01.
        #[arg(long, value_name = "D")]
        from: String,
        /// Last day.
        #[arg(long, value_name = "D")]
        to: String,
        /// The Excel file.
        #[arg(long, value_name = "F.xlsx")]
        out: PathBuf,
    },
}

/// What can be asked of surveys.
#[derive(Subcommand)]
pub enum Survey {
    /// Score, satisfied rate, NPS, response rate and loyalty, each with its numerator and denominator.
    Summary {
        /// First day on which sheets were answered, as 2026-11-01.
        #[arg(long, value_name = "D")]
        from: String,
        /// Last day.
        #[arg(long, value_name = "D")]
        to: String,
        /// outpatient, inpatient, contact; all of them if not given.
        #[arg(long, value_name = "K")]
        kind: Option<String>,
    },
}

/// What can be done with a month.
#[derive(Subcommand)]
pub enum Report {
    /// Write the month's workbook, or fill the hospital's own form with its figures.
    Month {
        /// As 2026-10.
        #[arg(long, value_name = "M")]
        month: String,
        /// The Excel file.
        #[arg(long, value_name = "F.xlsx")]
        out: PathBuf,
        /// The form to fill; it stays as it is.
        #[arg(long, value_name = "T.xlsx")]
        template: Option<PathBuf>,
        /// Sheets in their order: followup, complaints, satisfaction, workload, doctors, departments. All without it.
        #[arg(long, value_name = "S,S", value_delimiter = ',')]
        sheets: Vec<String>,
    },
    /// Keep the month as it is now: later arrivals are restated and change nothing.
    Freeze {
        /// As 2026-10; it must be over.
        #[arg(long, value_name = "M")]
        month: String,
        /// Why it is frozen again.
        #[arg(long, value_name = "R", default_value = "")]
        reason: String,
    },
}

/// What can be done with complaints.
#[derive(Subcommand)]
pub enum Complaints {
    /// Register one.
    Register {
        /// A JSON file with `form`, and perhaps `received_at`, `first_receiver`; `-` reads standard input.
        file: PathBuf,
    },
    /// Move one on.
    Move {
        /// Its number.
        number: String,
        /// accept, investigate, propose, approve, send_back, reply, rate, close, reopen, settle, refuse, pass_on, withdraw,
        /// ask_extension, grant_extension, refuse_extension, pause, resume.
        #[arg(value_name = "MOVE")]
        name: String,
        /// What is to be said of it.
        #[arg(long, value_name = "T")]
        text: Option<String>,
        /// A JSON file with the other fields of the move's form; `-` reads standard input.
        #[arg(long, value_name = "F.json")]
        form: Option<PathBuf>,
    },
    /// Complaints, newest or most urgent first.
    List {
        /// open, mine, due, ended, all.
        #[arg(long, value_name = "V", default_value = "open")]
        view: String,
        /// Only about this department.
        #[arg(long, value_name = "D")]
        department: Option<String>,
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = 200)]
        limit: u32,
    },
}

/// What can be done with plans and questionnaires.
#[derive(Subcommand)]
pub enum Forms {
    /// Write one as a FHIR R4 Questionnaire, and list what another program will not understand.
    Export {
        /// Its code.
        code: String,
        /// The file.
        #[arg(value_name = "F.json")]
        file: PathBuf,
        /// Another version than the one in use, by its number or as it is shown.
        #[arg(long, value_name = "N")]
        version: Option<String>,
    },
    /// Read a FHIR R4 Questionnaire as the next version of the one with its code, or as a new one, and list what was
    /// not carried over.
    Import {
        /// The file.
        #[arg(value_name = "F.json")]
        file: PathBuf,
    },
    /// Check a QuestionnaireResponse against its Questionnaire. Needs no data folder; a fault is an exit code other than 0.
    Validate {
        /// The Questionnaire.
        #[arg(value_name = "Q.json")]
        questionnaire: PathBuf,
        /// The QuestionnaireResponse.
        #[arg(value_name = "R.json")]
        response: PathBuf,
    },
}

/// What can be done with the audit trail.
#[derive(Subcommand)]
pub enum Audit {
    /// Recompute the hash chain and say where it breaks.
    Verify,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use clap::{CommandFactory, Parser};

    use super::{Cli, Command, Export, Stick};

    #[test]
    fn the_definition_holds() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_options_stand_before_or_after() {
        let before =
            ["aftercare-cli", "--home", "/h", "--user", "alice", "--json", "find", "王伟", "--limit", "5"];
        let after =
            ["aftercare-cli", "find", "王伟", "--limit", "5", "--json", "--user", "alice", "--home", "/h"];
        for words in [before, after] {
            let cli = Cli::try_parse_from(words).unwrap();
            assert!(cli.global.json);
            assert_eq!(cli.global.user().unwrap(), "alice");
            assert!(matches!(cli.command, Command::Find { query, limit: 5 } if query == "王伟"));
        }
    }

    #[test]
    fn a_stick_is_written_and_read() {
        let cli = Cli::try_parse_from("aftercare-cli sync export-usb f --home /h".split(' ')).unwrap();
        assert!(matches!(cli.command, Command::Sync { once: false, stick: Some(Stick::ExportUsb { .. }) }));
        let cli = Cli::try_parse_from("aftercare-cli sync --once --home /h".split(' ')).unwrap();
        assert!(matches!(cli.command, Command::Sync { once: true, stick: None }));
    }

    #[test]
    fn an_export_names_its_period() {
        let words = "aftercare-cli export followups --from 2026-11-01 --to 2026-11-30 --out f.xlsx --home /h --user u";
        let cli = Cli::try_parse_from(words.split(' ')).unwrap();
        let Command::Export { what: Export::Followups { from, to, .. } } = cli.command else {
            unreachable!()
        };
        assert_eq!((from.as_str(), to.as_str()), ("2026-11-01", "2026-11-30"));
    }
}
