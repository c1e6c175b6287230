//! `demo-hospital HOME`: founds a hospital, imports the sample extract through the real importer, makes some calls.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use aftercare_suite::Answer;
use aftercare_suite::demo::{
    Hospital, LOGIN, PASSWORD, ask_experts, complain, make_calls, moved_to, sample, survey,
};
use chrono::{FixedOffset, Utc};
use serde_json::{Value, json};

/// Patients who are called: enough for every page to show something, and a list that is still long.
const CALLS: usize = 24;

fn main() -> ExitCode {
    let home = std::env::args_os().nth(1).filter(|home| !home.to_string_lossy().starts_with('-'));
    let Some(home) = home.map(PathBuf::from) else {
        eprintln!("usage: demo-hospital HOME");
        return ExitCode::FAILURE;
    };
    match make(&home) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the demo hospital could not be made: {error}");
            ExitCode::FAILURE
        }
    }
}

fn make(home: &Path) -> Answer {
    let hospital = Hospital::found(home)?;
    // China keeps one time without summer time.
    let today = FixedOffset::east_opt(8 * 3600).map(|china| Utc::now().with_timezone(&china).date_naive());
    let extract = home.with_file_name("出院患者.csv");
    std::fs::write(&extract, moved_to(&sample()?, today.ok_or("a time zone")?)?)?;

    let done = hospital.call("imports_run", json!({ "path": extract, "language": "zh-CN" }))?;
    let number = |name: &str| done.get(name).and_then(Value::as_u64).unwrap_or(0);
    println!(
        "{}: {} rows imported, {} new, {} refused",
        extract.display(),
        number("rows"),
        number("created"),
        done["rejected"].as_array().map_or(0, Vec::len)
    );
    let alerts = make_calls(&hospital, CALLS)?;
    println!("{CALLS} patients called, {alerts} of the calls raised an alert");
    let asked = ask_experts(&hospital)?;
    println!("{asked} alerts passed on to an expert");
    let complaints = complain(&hospital)?;
    println!("{complaints} complaints registered");
    let sheets = survey(&hospital)?;
    println!("{sheets} survey sheets typed in");
    hospital.lock()?;
    println!("Log in as `{LOGIN}` with the password `{PASSWORD}`.");
    Ok(())
}
