//! What the sheets of a month show, folded from its lines: the same for a month as it stands and for a frozen one.

use std::collections::BTreeMap;

use aftercare_domain::survey::{Measures, Scale};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::lines::{Line, Part, Parts, Population, Tally, day_of, part};

/// One figure: how many of how many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "MonthFigure")]
pub struct MonthFigure {
    /// The code of the KPI list; a placeholder of templates too.
    pub code: String,
    /// How many.
    #[ts(type = "number")]
    pub numerator: i64,
    /// Of how many; 0 shows as "—".
    #[ts(type = "number")]
    pub denominator: i64,
}

impl MonthFigure {
    /// The part of the whole, if there is a whole.
    pub fn share(&self) -> Option<f64> {
        (self.denominator != 0).then(|| self.numerator as f64 / self.denominator as f64)
    }
}

/// How a figure is counted.
pub(super) struct Definition {
    /// Of the KPI list.
    pub code: &'static str,
    pub population: Population,
    pub numerator: &'static str,
    pub denominator: &'static str,
    /// The sheet that shows it.
    pub sheet: super::SheetKind,
}

const fn figure(
    code: &'static str,
    population: Population,
    numerator: &'static str,
    denominator: &'static str,
    sheet: super::SheetKind,
) -> Definition {
    Definition { code, population, numerator, denominator, sheet }
}

use super::SheetKind::{Complaints, Followup, Satisfaction};

/// Every figure of a month, in its order.
pub(super) static FIGURES: [Definition; 15] = [
    figure("FU_RATIO", Population::Discharges, "followed", "everyone", Followup),
    figure("FU_EXPECTED", Population::Discharges, "followed", "expected", Followup),
    figure("FU_DUE_RATE", Population::Tasks, "timely", "counted", Followup),
    figure("FU_TIMELY", Population::Tasks, "timely", "done", Followup),
    figure("CONN_CALL", Population::Calls, "connected", "everyone", Followup),
    figure("CONN_PT", Population::Called, "reached", "everyone", Followup),
    figure("LOST_RATE", Population::Managed, "lost", "everyone", Followup),
    figure("ALERT_RED", Population::Alerts, "red_in_time", "red", Followup),
    figure("ALERT_ORANGE", Population::Alerts, "orange_in_time", "orange", Followup),
    figure("ALERT_YELLOW", Population::Alerts, "yellow_in_time", "yellow", Followup),
    figure("CPL_ONTIME", Population::Complaints, "in_time", "answerable", Complaints),
    figure("CPL_FOUNDED", Population::Complaints, "founded", "judged", Complaints),
    figure("CPL_SAT", Population::Complaints, "satisfied", "rated", Complaints),
    figure("CPL_REOPEN", Population::Complaints, "reopened", "closed", Complaints),
    figure("SAT_RATE", Population::Surveys, "good", "rated", Satisfaction),
];

/// Plain counts: name, population, flag.
pub(super) const COUNTS: [(&str, Population, &str); 7] = [
    ("DISCHARGES", Population::Discharges, "everyone"),
    ("COMPLAINTS", Population::Complaints, "complaint"),
    ("PRAISE", Population::Complaints, "praise"),
    ("SUGGESTIONS", Population::Complaints, "suggestion"),
    ("SURVEYS", Population::Surveys, "everyone"),
    ("SURVEYS_VALID", Population::Surveys, "valid"),
    ("CALLS", Population::Calls, "everyone"),
];

/// Counts of every population for one group: a department, a person, a day, or everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Group {
    tallies: [Tally; 8],
}

impl Group {
    pub fn tally(&self, population: Population) -> &Tally {
        &self.tallies[population as usize]
    }

    fn add(&mut self, population: Population, line: &Line) {
        self.tallies[population as usize].add(line);
    }

    /// How many lines of a population have a flag.
    pub fn of(&self, population: Population, flag: &str) -> i64 {
        self.tally(population).of(population, flag)
    }

    /// The sums of the group's sheets of satisfaction.
    pub fn measures(&self) -> Measures {
        let of = |flag| self.of(Population::Surveys, flag);
        Measures {
            sheets: of("everyone"),
            valid: of("valid"),
            scored: of("scored"),
            points: self.tally(Population::Surveys).value,
            good: of("good"),
            rated: of("rated"),
            promoters: of("promoters"),
            detractors: of("detractors"),
            recommending: of("recommending"),
            ..Measures::default()
        }
    }

    /// The mean score of 0 to 100.
    pub fn score(&self) -> Option<f64> {
        self.measures().score(Scale::default()).map(|estimate| estimate.value)
    }

    /// 净推荐值.
    pub fn nps(&self) -> Option<f64> {
        self.measures().nps().map(|estimate| estimate.value)
    }
}

/// Everything that sheets and templates show.
#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    pub total: Group,
    /// By name.
    pub departments: BTreeMap<String, Group>,
    /// By name and department.
    pub doctors: BTreeMap<(String, String), Group>,
    /// By user id, or nothing where nobody is named.
    pub nurses: BTreeMap<String, Group>,
    /// Tasks by the day they were due, `YYYY-MM-DD`.
    pub days: BTreeMap<String, Group>,
    /// Complaints by category.
    pub categories: BTreeMap<String, Group>,
    /// Surveys by kind.
    pub kinds: BTreeMap<String, Group>,
}

impl Content {
    /// Folds lines.
    pub fn of(parts: &Parts) -> Self {
        let mut content = Self::default();
        for population in Population::ALL {
            let part = part(parts, population);
            for line in &part.lines {
                content.add(population, part, line);
            }
        }
        content
    }

    fn add(&mut self, population: Population, part: &Part, line: &Line) {
        use Population::{Alerts, Calls, Complaints, Discharges, Surveys, Tasks};
        self.total.add(population, line);
        let name = |place| part.name(place).to_owned();
        let to = |groups: &mut BTreeMap<String, Group>, key: String| {
            groups.entry(key).or_default().add(population, line);
        };
        if matches!(population, Discharges | Tasks | Calls | Complaints | Surveys) {
            to(&mut self.departments, name(line.department));
        }
        match population {
            Tasks => {
                to(&mut self.days, day_of(line).to_string());
                to(&mut self.nurses, name(line.owner));
            }
            Calls | Alerts => to(&mut self.nurses, name(line.owner)),
            Complaints => to(&mut self.categories, name(line.word)),
            Surveys => to(&mut self.kinds, name(line.word)),
            _ => {}
        }
        if matches!(population, Discharges | Surveys) {
            let key = (name(line.owner), name(line.department));
            self.doctors.entry(key).or_default().add(population, line);
        }
    }

    /// Every figure.
    pub fn figures(&self) -> Vec<MonthFigure> {
        let of = |one: &Definition| MonthFigure {
            code: one.code.to_owned(),
            numerator: self.total.of(one.population, one.numerator),
            denominator: self.total.of(one.population, one.denominator),
        };
        FIGURES.iter().map(of).collect()
    }
}
