//! Secrets typed on a terminal: asked for when no variable gives them, and never shown.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use aftercare_suite::headless::{Headless, refusal};
use aftercare_suite::programs::built;

use crate::assert_whole;

/// Runs the command line on a terminal of its own and answers its prompts, one line each as it asks; with
/// everything the terminal showed.
fn at_a_terminal(desk: &Headless, words: &[&str], answers: &[(&str, &str)]) -> String {
    let line: String = (0..words.len()).map(|n| format!(" \"$WORD{n}\"")).collect();
    let mut command = Command::new("script");
    command.args(["-qec", &format!("\"$PROGRAM\" --home \"$DESK\" --user \"$WHO\"{line}"), "/dev/null"]);
    command.env("PROGRAM", built("aftercare-cli").unwrap()).env("DESK", &desk.home).env("WHO", &desk.user);
    command.envs(words.iter().enumerate().map(|(n, word)| (format!("WORD{n}"), word)));
    command.env("SHELL", "/bin/sh").env("LC_ALL", "en_US.UTF-8");
    command.env_remove("AFTERCARE_PASSWORD").env_remove("AFTERCARE_RECOVERY_CODE");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = command.spawn().unwrap();
    let mut typing = running.stdin.take().unwrap();
    let mut screen = running.stdout.take().unwrap();
    let (seen, shows) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = screen.read(&mut bytes) {
            let _ = seen.send(String::from_utf8_lossy(&bytes[..count]).into_owned());
        }
    });
    let mut shown = String::new();
    let mut read_to = 0;
    let deadline = Instant::now() + Duration::from_secs(120);
    for (prompt, answer) in answers {
        while !shown[read_to..].contains(prompt) {
            let left = deadline.saturating_duration_since(Instant::now());
            let more = shows.recv_timeout(left);
            shown.push_str(&more.unwrap_or_else(|_| panic!("no prompt {prompt:?} in {shown:?}")));
        }
        read_to = shown.len();
        // The echo goes off just after the prompt; nobody types that fast.
        std::thread::sleep(Duration::from_millis(500));
        writeln!(typing, "{answer}").unwrap();
    }
    let ended = running.wait().unwrap();
    drop(typing);
    shown.extend(shows.iter());
    assert!(ended.success(), "{shown}");
    shown
}

#[test]
fn bob_restores_on_another_pc_with_the_code_read_from_paper() {
    let folder = tempfile::tempdir().unwrap();
    let (desk, code) = Headless::set_up(&folder.path().join("home")).unwrap();
    let backup = folder.path().join("backup");
    let path = backup.to_str().unwrap();
    let shown = at_a_terminal(&desk, &["backup", path], &[("Password:", &desk.password)]);
    assert!(!shown.contains(&desk.password), "{shown}");

    let new = "another long horse 7";
    let other_pc = Headless { home: folder.path().join("other"), password: new.into(), ..desk.clone() };
    let answers = [("Recovery code", code.as_str()), ("New password:", new), ("Again:", new)];
    let shown = at_a_terminal(&other_pc, &["restore", path], &answers);
    assert!(!shown.contains(&code) && !shown.contains(new), "{shown}");
    assert_whole(&other_pc);

    let shown =
        at_a_terminal(&desk, &["restore", path], &[("Recovery code", ""), ("Password:", &desk.password)]);
    assert!(!shown.contains(&desk.password), "{shown}");
    assert_whole(&desk);
}

#[test]
fn without_a_terminal_and_a_variable_it_says_which_one_is_missing_and_waits_for_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let desk = crate::hospital(&folder.path().join("home"));
    let backup = Path::new("backup").to_str().unwrap();
    for words in [&["doctor"][..], &["restore", backup], &["init", "--hospital", "H", "--site", "S"]] {
        let output = desk.command(words).unwrap().env_remove("AFTERCARE_PASSWORD").output().unwrap();
        assert_eq!(refusal(&output).unwrap(), "usage", "{words:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("AFTERCARE_PASSWORD"), "{words:?}");
    }
}
