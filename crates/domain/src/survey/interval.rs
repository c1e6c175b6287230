//! How sure a figure is: 95 % confidence intervals.

use serde::Serialize;
use ts_rs::TS;

/// 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// A figure with its 95 % confidence interval, in the figure's unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, TS)]
#[ts(rename = "SurveyEstimate")]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Estimate {
    /// The same figure in another unit: `slope × figure + offset`, slope positive.
    pub fn linear(self, slope: f64, offset: f64) -> Self {
        let map = |value: f64| value.mul_add(slope, offset);
        Self { value: map(self.value), low: map(self.low), high: map(self.high) }
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn float(count: i64) -> f64 {
    count as f64
}

/// A rate `hits / of` in percent with Wilson's score interval: E. B. Wilson, "Probable inference, the law of
/// succession, and statistical inference", JASA 22 (1927) 209–212. It stays within 0–100 and is sound for few cases and
/// for rates near the ends. `None` without cases.
pub fn wilson(hits: i64, of: i64) -> Option<Estimate> {
    if of <= 0 || hits < 0 || hits > of {
        return None;
    }
    let (n, p) = (float(of), float(hits) / float(of));
    let spread = 1.0 + Z * Z / n;
    let middle = (p + Z * Z / (2.0 * n)) / spread;
    let half = Z / spread * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let (low, high) = ((middle - half).clamp(0.0, p), (middle + half).clamp(p, 1.0));
    Some(Estimate { value: p * 100.0, low: low * 100.0, high: high * 100.0 })
}

/// The mean of `n` whole numbers from their sum and sum of squares, with Student's t interval
/// (mean ± t(0.975, n−1) · s / √n; "Student", Biometrika 6 (1908) 1–25). One case alone has no spread: its interval is
/// the whole range `least..=most`. The interval stays within that range. `None` without cases.
pub fn mean_interval(n: i64, sum: i64, squares: i64, least: f64, most: f64) -> Option<Estimate> {
    if n <= 0 {
        return None;
    }
    let mean = float(sum) / float(n);
    if n == 1 {
        return Some(Estimate { value: mean, low: least, high: most });
    }
    // n·Σx² − (Σx)² in whole numbers: no digits are lost where all answers are alike.
    let spread = i128::from(n) * i128::from(squares) - i128::from(sum) * i128::from(sum);
    #[allow(clippy::cast_precision_loss, reason = "a spread: the leading digits count")]
    let variance = spread.max(0) as f64 / (float(n) * float(n - 1));
    let half = student_t(n - 1) * (variance / float(n)).sqrt();
    Some(Estimate { value: mean, low: (mean - half).max(least), high: (mean + half).min(most) })
}

/// 97.5 % quantile of Student's t with `freedom` degrees of freedom: G. W. Hill, "Algorithm 396: Student's
/// t-quantiles", CACM 13 (1970) 619–620; exact for 1 and 2, else within 0.01 %.
pub fn student_t(freedom: i64) -> f64 {
    // Two tails together.
    const P: f64 = 0.05;
    match freedom {
        i64::MIN..=0 => f64::INFINITY,
        1 => (1.0 / (P * std::f64::consts::FRAC_PI_2).tan()).abs(),
        2 => (2.0 / (P * (2.0 - P)) - 2.0).sqrt(),
        _ => hill(float(freedom), P),
    }
}

fn hill(n: f64, p: f64) -> f64 {
    let a = 1.0 / (n - 0.5);
    let b = (48.0 / a) / a;
    let mut c = ((20700.0 * a / b - 98.0) * a - 16.0) * a + 96.36;
    let d = ((94.5 / (b + c) - 3.0) / b + 1.0) * (a * std::f64::consts::FRAC_PI_2).sqrt() * n;
    let mut x = d * p;
    let mut y = x.powf(2.0 / n);
    if y > 0.05 + a {
        x = -Z;
        y = x * x;
        if n < 5.0 {
            c += 0.3 * (n - 4.5) * (x + 0.6);
        }
        c += (((0.05 * d * x - 5.0) * x - 7.0) * x - 2.0) * x + b;
        y = (((((0.4 * y + 6.3) * y + 36.0) * y + 94.5) / c - y - 3.0) / b + 1.0) * x;
        y = a * y * y;
        y = if y > 0.002 { y.exp_m1() } else { 0.5 * y * y + y };
    } else {
        y = ((1.0 / (((n + 6.0) / (n * y) - 0.089 * d - 0.822) * (n + 2.0) * 3.0) + 0.5 / (n + 4.0)) * y
            - 1.0)
            * (n + 1.0)
            / (n + 2.0)
            + 1.0 / y;
    }
    (n * y).sqrt()
}

/// Net promoter score, −100 to 100: promoters (9–10) less detractors (0–6) of `of` answers. Its variance is
/// (p + d − (p − d)²) / n: B. Rocks, "Interval estimation for the net promoter score", The American Statistician
/// 70 (2016) 365–372 (there the Wald interval with one case added to each group, which keeps it honest for few
/// cases). `None` without answers.
pub fn nps_interval(promoters: i64, detractors: i64, of: i64) -> Option<Estimate> {
    if of <= 0 || promoters < 0 || detractors < 0 || promoters + detractors > of {
        return None;
    }
    let value = float(promoters - detractors) / float(of);
    // Three quarters of a case to each end and one and a half between: Rocks' adjusted Wald, three cases in all.
    let n = float(of) + 3.0;
    let (p, d) = ((float(promoters) + 0.75) / n, (float(detractors) + 0.75) / n);
    let half = Z * ((p + d - (p - d) * (p - d)) / n).sqrt();
    let (low, high) = ((p - d - half).max(-1.0).min(value), (p - d + half).min(1.0).max(value));
    Some(Estimate { value: value * 100.0, low: low * 100.0, high: high * 100.0 })
}
