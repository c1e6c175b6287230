//! `aftercare-server`: serves, or does one administrator's command.

use std::process::ExitCode;

use aftercare_server::app::Env;
use aftercare_server::args::{Args, Command, ServiceCommand};
use aftercare_server::failure::Failure;
use aftercare_server::serve::stop_signal;
use aftercare_server::words::Words;
use aftercare_server::{commands, logging, service, start};
use clap::Parser;
use serde_json::json;

fn main() -> ExitCode {
    let args = Args::parse();
    let words = Words::of_system();
    let done = match &args.command {
        // The service manager's thread comes first; the runtime is made in it.
        Some(Command::Service(ServiceCommand::Run)) => service::run(args),
        _ => in_runtime(&args, &words),
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

#[tokio::main]
async fn in_runtime(args: &Args, words: &Words) -> Result<(), Failure> {
    let Some(command) = &args.command else {
        logging::start();
        let app = start::open(args, Env::system()).await?;
        return start::run(app, &args.serving, words, stop_signal()).await;
    };
    let said = commands::run(args, command, Env::system(), words).await?;
    println!("{}", if args.json { said.json.to_string() } else { said.text });
    Ok(())
}
