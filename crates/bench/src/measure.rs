//! Measuring and printing.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

/// One line of the result: ours, the floor, and what is aimed at.
pub struct Figure<'a> {
    /// What was measured.
    pub name: &'a str,
    /// Ours, in `unit`.
    pub ours: f64,
    /// The bare work, or the budget where the goal is absolute.
    pub base: f64,
    /// The largest ratio aimed at.
    pub goal: f64,
    /// Of `ours` and `base`.
    pub unit: &'a str,
}

/// Prints a figure as `cargo xtask bench` reads it: one JSON object a line.
pub fn print(figure: &Figure<'_>) {
    let round = |value: f64| (value * 1000.0).round() / 1000.0;
    println!(
        "{}",
        json!({
            "name": figure.name, "ours": round(figure.ours), "base": round(figure.base),
            "ratio": round(figure.ours / figure.base), "goal": figure.goal, "unit": figure.unit,
        })
    );
}

/// How many rows to measure with: `full`, or fewer by `AFTERCARE_BENCH_ROWS` for a first look while working on the code.
pub fn rows(full: usize) -> usize {
    std::env::var("AFTERCARE_BENCH_ROWS").ok().and_then(|text| text.parse().ok()).unwrap_or(full)
}

/// A number with its thousands apart, for the name of a figure: what was measured, not what was meant to be.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    groups.iter().map(|group| String::from_utf8_lossy(group)).collect::<Vec<_>>().join(",")
}

/// Whether the person running this asked for the benchmark called `name`.
pub fn wanted(name: &str) -> bool {
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    filter.is_none_or(|filter| name.contains(&filter))
}

/// How long `work` takes, and what it gives.
pub fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed(), result)
}

/// Milliseconds with fractions.
pub fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The value below which 99 of 100 samples lie.
pub fn p99(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[(samples.len() * 99 / 100).min(samples.len() - 1)]
}

/// Runs this program again with `AFTERCARE_BENCH_CHILD=task` and returns the peak memory it
/// printed: a process of its own, so that nothing measured before counts.
pub fn peak_of_child(task: &str, env: &[(&str, &str)]) -> f64 {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env("AFTERCARE_BENCH_CHILD", task).envs(env.iter().copied());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().last().unwrap().trim().parse().unwrap()
}

/// The task this process was started for, if it is a child.
pub fn child_task() -> Option<String> {
    std::env::var("AFTERCARE_BENCH_CHILD").ok()
}

/// Prints the peak resident memory of this process in megabytes, as `peak_of_child` reads it.
pub fn print_peak() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let kilobytes: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    println!("{}", kilobytes / 1024.0);
}
