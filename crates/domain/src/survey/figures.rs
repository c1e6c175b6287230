//! Figures from sums. A figure without a denominator is absent, never zero.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::interval::{Estimate, mean_interval, nps_interval, wilson};
use super::{POINT, Scale};

/// Sums over the sheets of a scope. All but `sheets` count valid sheets only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "SurveyMeasures")]
pub struct Measures {
    /// Sheets, valid or not.
    #[ts(type = "number")]
    pub sheets: i64,
    /// Valid sheets.
    #[ts(type = "number")]
    pub valid: i64,
    /// Sheets with a score: the denominator of the score.
    #[ts(type = "number")]
    pub scored: i64,
    /// Sum of their points, in ten-thousandths of the five-point scale.
    #[ts(type = "number")]
    pub points: i64,
    /// Sum of the squares of these.
    #[serde(skip)]
    #[ts(skip)]
    pub squares: i64,
    /// "Satisfied" and "very satisfied": the numerator of the satisfied rate.
    #[ts(type = "number")]
    pub good: i64,
    /// Ratings without "does not apply": its denominator.
    #[ts(type = "number")]
    pub rated: i64,
    /// Would recommend with 9 or 10.
    #[ts(type = "number")]
    pub promoters: i64,
    /// 0 to 6.
    #[ts(type = "number")]
    pub detractors: i64,
    /// Answered the question of recommending: the denominator of the NPS.
    #[ts(type = "number")]
    pub recommending: i64,
    /// Would come back.
    #[ts(type = "number")]
    pub come_back: i64,
    /// Answered that question.
    #[ts(type = "number")]
    pub come_back_asked: i64,
}

impl Measures {
    /// Adds another scope's sums.
    pub fn add(&mut self, other: &Self) {
        self.sheets += other.sheets;
        self.valid += other.valid;
        self.scored += other.scored;
        self.points += other.points;
        self.squares += other.squares;
        self.good += other.good;
        self.rated += other.rated;
        self.promoters += other.promoters;
        self.detractors += other.detractors;
        self.recommending += other.recommending;
        self.come_back += other.come_back;
        self.come_back_asked += other.come_back_asked;
    }

    /// 满意度得分: the mean score of 0–100.
    pub fn score(&self, scale: Scale) -> Option<Estimate> {
        #[allow(clippy::cast_precision_loss, reason = "ten thousand")]
        let point = POINT as f64;
        let mean = mean_interval(self.scored, self.points, self.squares, point, 5.0 * point)?;
        Some(mean.linear(scale.factor() / point, scale.score_100(0.0)))
    }

    /// 满意率, percent.
    pub fn satisfied(&self) -> Option<Estimate> {
        wilson(self.good, self.rated)
    }

    /// 净推荐值, −100 to 100.
    pub fn nps(&self) -> Option<Estimate> {
        nps_interval(self.promoters, self.detractors, self.recommending)
    }

    /// 愿再来比例, percent.
    pub fn return_rate(&self) -> Option<Estimate> {
        wilson(self.come_back, self.come_back_asked)
    }
}

/// Shares of the loyalty index, each 0–100; together 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "SurveyLoyaltyWeights")]
pub struct LoyaltyWeights {
    /// Of the net promoter score, brought to 0–100.
    pub nps: u32,
    /// Of the share that would come back.
    pub come_back: u32,
    /// Of the share that did come back within twelve months.
    pub retained: u32,
}

impl Default for LoyaltyWeights {
    fn default() -> Self {
        Self { nps: 40, come_back: 30, retained: 30 }
    }
}

/// 忠诚度指数, 0–100: weighted NPS ((NPS + 100) / 2), willingness to return, and retention after twelve months, both in
/// percent. An index of this project, not a standard. Absent while a part that weighs anything is absent.
pub fn loyalty(
    nps: Option<f64>,
    come_back: Option<f64>,
    retained: Option<f64>,
    weights: LoyaltyWeights,
) -> Option<f64> {
    let parts = [
        (weights.nps, nps.map(|nps| (nps + 100.0) / 2.0)),
        (weights.come_back, come_back),
        (weights.retained, retained),
    ];
    let total: u32 = parts.iter().map(|(weight, _)| weight).sum();
    if total == 0 {
        return None;
    }
    let mut index = 0.0;
    for (weight, part) in parts.into_iter().filter(|(weight, _)| *weight > 0) {
        index += f64::from(weight) * part?;
    }
    Some(index / f64::from(total))
}
