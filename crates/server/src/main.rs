//! `aftercare-server`: serves, or does one administrator's command.

use std::process::ExitCode;

use aftercare_server::app::Env;
use aftercare_server::args::Args;
use aftercare_server::failure::Failure;
use aftercare_server::words::Words;
use aftercare_server::{commands, logging, start};
use clap::Parser;
use serde_json::json;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let words = Words::of_system();
    let done = match &args.command {
        None => {
            logging::start();
            serve(&args, &words).await
        }
        Some(command) => match commands::run(&args, command, Env::system(), &words).await {
            Ok(said) => {
                println!("{}", if args.json { said.json.to_string() } else { said.text });
                Ok(())
            }
            Err(failure) => Err(failure),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let code = failure.code();
            let message = words.text(&format!("failed_{code}"), &[("about", &failure.about())]);
            eprintln!("{}", json!({ "code": code, "message": message }));
            ExitCode::FAILURE
        }
    }
}

async fn serve(args: &Args, words: &Words) -> Result<(), Failure> {
    let app = start::open(args, Env::system()).await?;
    start::run(app, &args.serving, words).await
}
