//! The words and tables of complaint handling that ship with the program: drafts for the hospital's complaints office.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{ComplaintKind, MoveKind};
use crate::calendar::parse_sla;
use crate::forms::LocalText;
use crate::plans::{NamedCode, Review};

/// Whose category it is.
pub type Owner = LocalText;

/// A category with those below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "ComplaintCategory")]
pub struct Category {
    /// `MED`, `NUR` …
    pub code: String,
    /// Name.
    pub name: LocalText,
    /// Complaint, praise or suggestion.
    pub kind: ComplaintKind,
    /// Only named roles see complaints of it.
    pub confidential: bool,
    /// The office that owns it.
    pub owner: Owner,
    /// The second level.
    pub subs: Vec<NamedCode>,
}

/// How grave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "ComplaintSeverity")]
pub struct Severity {
    /// `A`, `B`, `C`.
    pub code: String,
    /// Name.
    pub name: LocalText,
    /// When it applies.
    pub rule: LocalText,
    /// Who is told at once.
    pub notify: Vec<LocalText>,
    /// Until the first response: `30min`, `4h`, `1wd`.
    pub first_response: String,
    /// Whether the complainant is called some days after closing.
    pub revisit: bool,
}

/// A rule for the deadline; its days are only the defaults of the settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "ComplaintDeadlineRule")]
pub struct DeadlineRule {
    /// `spot`, `single`, `multi`.
    pub code: String,
    /// Name.
    pub name: LocalText,
    /// Working days.
    pub days: u32,
    /// When it applies.
    pub when: LocalText,
}

/// Who is warned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "ComplaintWarnRule")]
pub struct WarnRule {
    /// `soon`, `today`, `overdue`.
    pub code: String,
    /// Working days before the deadline; negative: after it.
    pub before: i32,
    /// Who.
    pub to: LocalText,
}

/// When complaints of one kind become a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "ComplaintSignalRule")]
pub struct SignalRule {
    /// So many …
    pub count: u32,
    /// … within so many days.
    pub days: u32,
}

/// When the complainant is called after closing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "ComplaintRevisitRule")]
pub struct RevisitRule {
    /// Not before so many days.
    pub from_days: u32,
    /// Not after so many days.
    pub to_days: u32,
}

/// Who reads a phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "ComplaintPhraseAudience")]
pub enum PhraseAudience {
    /// The complainant.
    Patient,
    /// Colleagues only.
    Internal,
}

/// A sentence to begin with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "ComplaintPhrase")]
pub struct Phrase {
    /// Code.
    pub code: String,
    /// `register`, `note`, or the move it is offered for.
    #[serde(rename = "use")]
    pub for_move: String,
    /// Who reads it.
    pub audience: PhraseAudience,
    /// The sentence. `{number}` and `{due}` are filled in.
    pub text: LocalText,
}

/// Everything of complaints that ships.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "ComplaintContent")]
pub struct Content {
    /// Whether the hospital has approved it.
    pub review: Review,
    /// Two levels.
    pub categories: Vec<Category>,
    /// How it came.
    pub channels: Vec<NamedCode>,
    /// How grave.
    pub severities: Vec<Severity>,
    /// Until when.
    pub deadlines: Vec<DeadlineRule>,
    /// Who is warned.
    pub warnings: Vec<WarnRule>,
    /// Why it is registered but not handled.
    pub not_accepted: Vec<NamedCode>,
    /// Where it may be passed on to.
    pub passed_on: Vec<NamedCode>,
    /// Why the clock may pause.
    pub pauses: Vec<NamedCode>,
    /// 责任认定.
    pub verdicts: Vec<NamedCode>,
    /// What was done.
    pub resolutions: Vec<NamedCode>,
    /// The complainant's rating.
    pub attitudes: Vec<NamedCode>,
    /// How the complainant was told.
    pub reply_ways: Vec<NamedCode>,
    /// What security must know at once.
    pub high_risk: Vec<NamedCode>,
    /// Similar complaints.
    pub signal: SignalRule,
    /// Calls after closing.
    pub revisit: RevisitRule,
    /// Sentences to begin with.
    pub phrases: Vec<Phrase>,
}

#[derive(Deserialize)]
struct Categories {
    review: Review,
    categories: Vec<Category>,
}

#[derive(Deserialize)]
struct Tables {
    channels: Vec<NamedCode>,
    severities: Vec<Severity>,
    deadlines: Vec<DeadlineRule>,
    warnings: Vec<WarnRule>,
    not_accepted: Vec<NamedCode>,
    passed_on: Vec<NamedCode>,
    pauses: Vec<NamedCode>,
    verdicts: Vec<NamedCode>,
    resolutions: Vec<NamedCode>,
    attitudes: Vec<NamedCode>,
    reply_ways: Vec<NamedCode>,
    high_risk: Vec<NamedCode>,
    signal: SignalRule,
    revisit: RevisitRule,
}

#[derive(Deserialize)]
struct Phrases {
    phrases: Vec<Phrase>,
}

impl Content {
    /// What ships; none only if the files of the program were broken when it was built, which a test excludes.
    pub fn shipped() -> Option<&'static Self> {
        static SHIPPED: OnceLock<Option<Content>> = OnceLock::new();
        SHIPPED.get_or_init(|| Self::read().ok()).as_ref()
    }

    fn read() -> serde_json::Result<Self> {
        let head: Categories =
            serde_json::from_str(include_str!("../../../../assets/content/complaints/categories.json"))?;
        let tables: Tables =
            serde_json::from_str(include_str!("../../../../assets/content/complaints/tables.json"))?;
        let phrases: Phrases =
            serde_json::from_str(include_str!("../../../../assets/content/complaints/phrases.json"))?;
        Ok(Self {
            review: head.review,
            categories: head.categories,
            channels: tables.channels,
            severities: tables.severities,
            deadlines: tables.deadlines,
            warnings: tables.warnings,
            not_accepted: tables.not_accepted,
            passed_on: tables.passed_on,
            pauses: tables.pauses,
            verdicts: tables.verdicts,
            resolutions: tables.resolutions,
            attitudes: tables.attitudes,
            reply_ways: tables.reply_ways,
            high_risk: tables.high_risk,
            signal: tables.signal,
            revisit: tables.revisit,
            phrases: phrases.phrases,
        })
    }

    /// The category of a code.
    pub fn category(&self, code: &str) -> Option<&Category> {
        self.categories.iter().find(|category| category.code == code)
    }

    /// The severity of a code.
    pub fn severity(&self, code: &str) -> Option<&Severity> {
        self.severities.iter().find(|severity| severity.code == code)
    }

    /// What is wrong with the files, in words for the test that reads it.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut named = |list: &str, items: Vec<(&str, &LocalText)>| {
            let mut seen = BTreeSet::new();
            for (code, name) in items {
                if !seen.insert(code.to_owned()) {
                    problems.push(format!("{list}: {code} twice"));
                }
                if name.zh.trim().is_empty() || name.en.trim().is_empty() {
                    problems.push(format!("{list}: {code} without a name"));
                }
            }
        };
        named("categories", self.categories.iter().map(|c| (c.code.as_str(), &c.name)).collect());
        for category in &self.categories {
            let subs = category.subs.iter().map(|sub| (sub.code.as_str(), &sub.name)).collect();
            named(&category.code, subs);
        }
        for (list, items) in [
            ("channels", &self.channels),
            ("not_accepted", &self.not_accepted),
            ("passed_on", &self.passed_on),
            ("pauses", &self.pauses),
            ("verdicts", &self.verdicts),
            ("resolutions", &self.resolutions),
            ("attitudes", &self.attitudes),
            ("reply_ways", &self.reply_ways),
            ("high_risk", &self.high_risk),
        ] {
            named(list, items.iter().map(|item| (item.code.as_str(), &item.name)).collect());
        }
        named("phrases", self.phrases.iter().map(|p| (p.code.as_str(), &p.text)).collect());
        let uses = self.phrases.iter().map(|phrase| phrase.for_move.as_str());
        for unknown in
            uses.filter(|word| !matches!(*word, "register" | "note") && MoveKind::parse(word).is_none())
        {
            problems.push(format!("phrases: for {unknown}"));
        }
        for severity in &self.severities {
            if parse_sla(&severity.first_response).is_none() {
                problems.push(format!("severities: {} {}", severity.code, severity.first_response));
            }
        }
        problems
    }
}
