//! Counters and one histogram in Prometheus' text form. Labels are routes and codes, never ids.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Upper bounds of the histogram of durations, seconds.
const BOUNDS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

#[derive(Debug, Default)]
struct Histogram {
    buckets: [u64; BOUNDS.len()],
    count: u64,
    sum: f64,
}

/// What is counted.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: Mutex<BTreeMap<(String, u16), u64>>,
    seconds: Mutex<BTreeMap<String, Histogram>>,
    refusals: Mutex<BTreeMap<&'static str, u64>>,
    verdicts: Mutex<BTreeMap<&'static str, u64>>,
    /// Ops that desks sent.
    pub ops_in: AtomicU64,
    /// Entries of the feed that were sent.
    pub entries_out: AtomicU64,
    /// Bytes of bodies that came.
    pub bytes_in: AtomicU64,
    /// Open connections.
    pub connections: AtomicI64,
}

impl Metrics {
    /// Counts a request. `route` is the pattern, not the path.
    pub fn request(&self, route: &str, status: u16, seconds: f64) {
        let mut requests = self.requests.lock().unwrap_or_else(|poison| poison.into_inner());
        *requests.entry((route.to_owned(), status)).or_default() += 1;
        drop(requests);
        let mut all = self.seconds.lock().unwrap_or_else(|poison| poison.into_inner());
        let histogram = all.entry(route.to_owned()).or_default();
        for (bound, bucket) in BOUNDS.iter().zip(&mut histogram.buckets) {
            *bucket += u64::from(seconds <= *bound);
        }
        histogram.count += 1;
        histogram.sum += seconds;
    }

    /// Counts a refusal.
    pub fn refusal(&self, code: &'static str) {
        let mut refusals = self.refusals.lock().unwrap_or_else(|poison| poison.into_inner());
        *refusals.entry(code).or_default() += 1;
    }

    /// Counts a verdict.
    pub fn verdict(&self, outcome: &'static str) {
        let mut verdicts = self.verdicts.lock().unwrap_or_else(|poison| poison.into_inner());
        *verdicts.entry(outcome).or_default() += 1;
    }

    /// Everything as text.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let simple = [
            ("aftercare_ops_received_total", "counter", self.ops_in.load(Ordering::Relaxed).to_string()),
            ("aftercare_entries_sent_total", "counter", self.entries_out.load(Ordering::Relaxed).to_string()),
            (
                "aftercare_body_bytes_received_total",
                "counter",
                self.bytes_in.load(Ordering::Relaxed).to_string(),
            ),
            ("aftercare_connections", "gauge", self.connections.load(Ordering::Relaxed).to_string()),
        ];
        for (name, kind, value) in simple {
            let _ = writeln!(out, "# TYPE {name} {kind}\n{name} {value}");
        }
        labelled(&mut out, "aftercare_refusals_total", "code", &self.refusals);
        labelled(&mut out, "aftercare_verdicts_total", "outcome", &self.verdicts);
        let _ = writeln!(out, "# TYPE aftercare_requests_total counter");
        for ((route, status), count) in
            self.requests.lock().unwrap_or_else(|poison| poison.into_inner()).iter()
        {
            let _ =
                writeln!(out, "aftercare_requests_total{{route=\"{route}\",status=\"{status}\"}} {count}");
        }
        let _ = writeln!(out, "# TYPE aftercare_request_seconds histogram");
        for (route, histogram) in self.seconds.lock().unwrap_or_else(|poison| poison.into_inner()).iter() {
            let name = "aftercare_request_seconds";
            for (bound, count) in BOUNDS.iter().zip(histogram.buckets) {
                let _ = writeln!(out, "{name}_bucket{{route=\"{route}\",le=\"{bound}\"}} {count}");
            }
            let _ = writeln!(out, "{name}_bucket{{route=\"{route}\",le=\"+Inf\"}} {}", histogram.count);
            let _ = writeln!(out, "{name}_sum{{route=\"{route}\"}} {}", histogram.sum);
            let _ = writeln!(out, "{name}_count{{route=\"{route}\"}} {}", histogram.count);
        }
        out
    }
}

fn labelled(out: &mut String, name: &str, label: &str, counts: &Mutex<BTreeMap<&'static str, u64>>) {
    let _ = writeln!(out, "# TYPE {name} counter");
    for (value, count) in counts.lock().unwrap_or_else(|poison| poison.into_inner()).iter() {
        let _ = writeln!(out, "{name}{{{label}=\"{value}\"}} {count}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_told_in_prometheus_form() {
        let metrics = Metrics::default();
        metrics.request("/v1/sync", 200, 0.02);
        metrics.request("/v1/sync", 200, 3.0);
        metrics.refusal("clock");
        let text = metrics.text();
        for line in [
            "aftercare_requests_total{route=\"/v1/sync\",status=\"200\"} 2",
            "aftercare_request_seconds_bucket{route=\"/v1/sync\",le=\"0.025\"} 1",
            "aftercare_request_seconds_bucket{route=\"/v1/sync\",le=\"+Inf\"} 2",
            "aftercare_refusals_total{code=\"clock\"} 1",
        ] {
            assert!(text.lines().any(|each| each == line), "{line}");
        }
    }
}
