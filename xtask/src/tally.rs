//! Counting: what passed, what failed, what was skipped, and how long it took.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Outcome;
use crate::process::{lines, run};

/// Counts of one step.
#[derive(Default, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Tests or checks that held.
    pub passed: u64,
    /// Those that did not.
    pub failed: u64,
    /// Those that said they cannot run here.
    pub skipped: u64,
}

/// The steps of a run, in order.
pub struct Tally {
    rows: Vec<(String, Count, Duration)>,
}

impl Tally {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self { rows: Vec::new() }
    }

    /// Runs a step that counts itself. A step that cannot be run counts as one failure.
    pub fn step(&mut self, name: &str, step: impl FnOnce() -> Outcome<Count>) -> bool {
        println!("\n=== {name}");
        let begun = Instant::now();
        let count = step().unwrap_or_else(|message| {
            println!("{name}: {message}");
            Count { failed: 1, ..Count::default() }
        });
        self.rows.push((name.to_owned(), count, begun.elapsed()));
        count.failed == 0
    }

    /// A check that holds or does not.
    pub fn check(&mut self, name: &str, check: impl FnOnce() -> Outcome) -> bool {
        self.step(name, || check().map(|()| Count { passed: 1, ..Count::default() }))
    }

    /// A step that was not run because one before it failed.
    pub fn missed(&mut self, name: &str, because: &str) {
        self.step(name, || Err(format!("not run, because {because}")));
    }

    /// Prints the table and the closing line.
    ///
    /// # Errors
    /// When anything failed.
    pub fn close(self) -> Outcome {
        println!("\n{:<44} {:>7} {:>7} {:>8} {:>7}", "", "passed", "failed", "skipped", "seconds");
        let mut sum = Count::default();
        for (name, count, took) in &self.rows {
            println!(
                "{name:<44} {:>7} {:>7} {:>8} {:>7}",
                count.passed,
                count.failed,
                count.skipped,
                took.as_secs()
            );
            sum.passed += count.passed;
            sum.failed += count.failed;
            sum.skipped += count.skipped;
        }
        if sum.skipped > 0 {
            println!("{} skipped", sum.skipped);
        }
        println!("{} passed, {} failed", sum.passed, sum.failed);
        if sum.failed > 0 || sum.passed == 0 {
            // The closing line stays the last one; the exit code says the rest.
            std::process::exit(1);
        }
        Ok(())
    }
}

/// `cargo test`, counted by the lines of libtest.
///
/// # Errors
/// When it cannot be started.
pub fn cargo_test(command: &mut std::process::Command) -> Outcome<Count> {
    let mut count = Count::default();
    let ended_well = lines(command, |line| {
        if let Some(one) = libtest(line) {
            count.passed += one.passed;
            count.failed += one.failed;
            count.skipped += one.skipped;
        }
    })?;
    // A test program that does not compile or dies prints no result.
    if !ended_well && count.failed == 0 {
        count.failed = 1;
    }
    Ok(count)
}

/// `test result: ok. 3 passed; 0 failed; 1 ignored; …`
fn libtest(line: &str) -> Option<Count> {
    let rest = line.trim().strip_prefix("test result: ")?;
    let number = |word: &str| {
        let before = rest.split(word).next()?;
        before.rsplit([' ', '.', ';']).find(|part| !part.is_empty())?.parse().ok()
    };
    Some(Count { passed: number(" passed")?, failed: number(" failed")?, skipped: number(" ignored")? })
}

/// vitest with its JSON report at `report`.
///
/// # Errors
/// When it cannot be started or leaves no report.
pub fn vitest(command: &mut std::process::Command, report: &std::path::Path) -> Outcome<Count> {
    let _ = std::fs::remove_file(report);
    command.args(["--reporter=verbose", "--reporter=json"]).env("NO_COLOR", "1");
    command.arg(format!("--outputFile.json={}", report.display()));
    let ended = run(command);
    let text = std::fs::read_to_string(report)
        .map_err(|error| format!("{}; no report: {error}", ended.clone().err().unwrap_or_default()))?;
    let report: Value = serde_json::from_str(&text).map_err(|error| format!("its report: {error}"))?;
    let number = |key: &str| report.get(key).and_then(Value::as_u64).unwrap_or(0);
    let mut count = Count {
        passed: number("numPassedTests"),
        failed: number("numFailedTests"),
        skipped: number("numPendingTests") + number("numTodoTests"),
    };
    if ended.is_err() && count.failed == 0 {
        count.failed = 1;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::{Count, libtest};

    #[test]
    fn a_result_line_is_counted() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(libtest(line), Some(Count { passed: 12, failed: 3, skipped: 1 }));
        assert_eq!(libtest("test archive::finds_by_initials ... ok"), None);
    }
}
