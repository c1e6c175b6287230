//! `demo-tour HOME FOLDER`: opens the window on a demo hospital and photographs every page, in both languages and both
//! common sizes, the main ones also in the dark and enlarged.

use std::path::PathBuf;
use std::process::ExitCode;

use aftercare_suite::tour::tour;

#[tokio::main]
async fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(home), Some(pictures)) = (args.next(), args.next()) else {
        eprintln!("usage: demo-tour HOME FOLDER");
        return ExitCode::FAILURE;
    };
    match tour(&home, &pictures, &home.with_file_name("出院患者.csv")).await {
        Ok(count) => {
            println!("{count} pictures in {}", pictures.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("the tour stopped: {error}");
            ExitCode::FAILURE
        }
    }
}
