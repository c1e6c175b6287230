//! `aftercare-host --home DIR --ui DIR`: prints its address and serves until it is ended.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
struct Args {
    /// The data folder.
    #[arg(long)]
    home: PathBuf,
    /// The built page.
    #[arg(long)]
    ui: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let host = match aftercare_host::open(&args.home, &args.ui) {
        Ok(host) => host,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let ended = aftercare_host::serve(host, |address| {
        println!("http://{address}");
        let _ = std::io::stdout().flush();
    });
    match ended.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
