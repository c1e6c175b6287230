//! Writing one record into the archive: a new person or a known one, a new stay or a known one.

use aftercare_domain::op::FieldValue;
use aftercare_domain::same_person::Suspicion;
use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;

use super::clean::Record;
use super::enrol::{self, Whose};
use super::fields::Field;
use super::people::{self, Known, Who};
use super::phones;
use super::problem::{Code, Problem};
use super::spans::Span;
use super::stays::{self, KnownStay};
use super::values::{self, PERSON_COLUMNS, STAY_COLUMNS};
use crate::archive::{Indexer, Searchable};
use crate::change_log::{Change, DUPLICATE, ENCOUNTER, Entity, PATIENT, Writer};
use crate::error::Result;
use crate::followup::{self, Enroller, StopReason};

/// A person is compared with at most so many others: beyond, a file has no names and births worth comparing.
const PAIRS: usize = 5;

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A stay, or a person without one, is new.
    Created,
    /// Something the archive had is different now.
    Updated,
    /// The archive had all of it.
    Unchanged,
    /// Stays in the file.
    Rejected,
    /// No data.
    LeftOut,
}

impl Outcome {
    /// The word stored and shown through the locale files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Rejected => "rejected",
            Self::LeftOut => "left_out",
        }
    }
}

/// What writing a record did.
pub struct Applied {
    /// What became of the row.
    pub outcome: Outcome,
    /// The person, unless the row was refused.
    pub patient_id: Option<Uuid>,
    /// Pairs of suspected duplicates that were noted.
    pub duplicates: u64,
}

/// The circumstances of one batch.
pub struct Apply {
    /// The part of the change log it writes.
    pub span: Span,
    /// The site whose patients these are.
    pub site_id: Uuid,
    /// The hospital's date.
    pub today: NaiveDate,
    /// How long the archive's hospital numbers are, see [`people::width_in_archive`].
    pub archive_width: Option<usize>,
    /// What people are found by; written at the end.
    pub indexer: Indexer,
    /// Starts plans; holds the compiled catalog.
    pub enroller: Enroller,
}

/// What was done with a stay.
enum StayDone {
    Created(Uuid),
    Changed(Uuid),
    Same,
    None,
}

impl Apply {
    /// Writes one record and says what that did.
    pub fn record(
        &mut self,
        writer: &mut Writer<'_>,
        mut record: Record,
        problems: &mut Vec<Problem>,
    ) -> Result<Applied> {
        let same_visit_no = match &record.stay.visit_no {
            Some(visit_no) => stays::by_visit_no(writer.connection(), visit_no)?,
            None => Vec::new(),
        };
        let connection = writer.connection();
        let who = people::decide(
            connection,
            &mut record,
            self.today,
            self.archive_width,
            &same_visit_no,
            problems,
        )?;
        let (patient_id, known, suspects) = match who {
            Who::Refused(field, code) => {
                problems.push(Problem::of(field, code));
                return Ok(Applied { outcome: Outcome::Rejected, patient_id: None, duplicates: 0 });
            }
            Who::Known(known) => (known.id, Some(*known), Vec::new()),
            Who::New(suspects) => (writer.new_id(), None, suspects),
        };
        let all_stays = match &known {
            Some(_) => stays::of_patient(writer.connection(), patient_id)?,
            None => Vec::new(),
        };
        let stay = stays::same_stay(&all_stays, &record.stay).cloned();
        let in_hospital = stay.as_ref().is_none_or(|stay| stay.discharged_at.is_none());
        let mut fresh_num = None;
        let changed = match &known {
            None => {
                fresh_num = Some(self.create_person(writer, patient_id, &record)?);
                self.index_new(writer, patient_id, &record)?;
                true
            }
            Some(known) => self.update_person(writer, known, &record, &all_stays, stay.as_ref(), problems)?,
        };
        let done = self.write_stay(writer, patient_id, stay, &record, problems)?;
        if let (StayDone::Created(encounter_id) | StayDone::Changed(encounter_id), true) =
            (&done, in_hospital)
        {
            let whose = Whose { patient_id, fresh_num, encounter_id: *encounter_id };
            enrol::enrol(&self.enroller, writer, &whose, &record)?;
        }
        if same_visit_no.iter().any(|stay| stay.patient_id != patient_id) {
            problems.push(Problem::of(Field::VisitNo, Code::VisitNoShared));
        }
        for (other, reasons) in suspects.iter().take(PAIRS) {
            self.note_duplicate(writer, *other, patient_id, reasons)?;
        }
        if !suspects.is_empty() {
            problems.push(Problem::of_row(Code::SuspectedDuplicate));
        }
        if known.is_some() && (changed || matches!(done, StayDone::Created(_))) {
            self.indexer.add_changed(patient_id);
        }
        let outcome = match done {
            StayDone::Created(_) => Outcome::Created,
            StayDone::None if known.is_none() => Outcome::Created,
            StayDone::Changed(_) => Outcome::Updated,
            StayDone::Same | StayDone::None if changed => Outcome::Updated,
            StayDone::Same | StayDone::None => Outcome::Unchanged,
        };
        Ok(Applied { outcome, patient_id: Some(patient_id), duplicates: suspects.len().min(PAIRS) as u64 })
    }

    /// Makes a person; returns their number on this desk.
    fn create_person(&self, writer: &mut Writer<'_>, id: Uuid, record: &Record) -> Result<i64> {
        let mut fields = values::of_person(record);
        let seen = record.stay.admitted.or(record.stay.discharged).map(|moment| values::date(moment.date));
        let kind = if record.stay.visit_count.unwrap_or(1) <= 1 { "current_new" } else { "current" };
        let died = died_on(record);
        fields.extend([
            ("first_seen_on", seen.into()),
            ("customer_kind", kind.into()),
            ("is_test", record.is_test.into()),
            ("is_unknown", record.is_unknown.into()),
            ("deceased", died.is_some().into()),
            ("deceased_on", died.clone().flatten().into()),
            ("deceased_how", died.map(|_| "his").into()),
            ("site_id", self.site_id.into()),
        ]);
        writer.create(&PATIENT, id, &fields)?;
        let num = writer.last_row();
        phones::create(writer, id, &record.phones)?;
        Ok(num)
    }

    fn index_new(&mut self, writer: &Writer<'_>, id: Uuid, record: &Record) -> Result<()> {
        let phones: Vec<&str> = record.phones.iter().map(|phone| phone.number.as_str()).collect();
        let document = record.document.as_ref().map(|(_, number)| number.as_str());
        let searchable = Searchable {
            name: &record.name,
            id_number: record.id.as_ref().map(|id| id.number.as_str()).or(document),
            phones: &phones,
            last_on: record.stay.discharged.or(record.stay.admitted).map(|moment| moment.date),
        };
        self.indexer.add_new(writer.connection(), id, &searchable)
    }

    /// Fills what is empty, and replaces what the hospital's system said before when this row is not older.
    fn update_person(
        &self,
        writer: &mut Writer<'_>,
        known: &Known,
        record: &Record,
        all_stays: &[KnownStay],
        stay: Option<&KnownStay>,
        problems: &mut Vec<Problem>,
    ) -> Result<bool> {
        let newest = self.is_newest(record, all_stays, stay);
        let keeps = |field: Field| {
            let told = |code: Code| problems.iter().any(|p| p.code == code);
            (field == Field::Mrn && told(Code::MrnDiffers))
                || (field == Field::Name && told(Code::NameDiffers))
        };
        let offered: Vec<(Change, Field)> = values::of_person(record)
            .into_iter()
            .zip(PERSON_COLUMNS.map(|(_, field)| field))
            .filter(|((_, value), field)| *value != FieldValue::Null && !keeps(*field))
            .collect();
        let mut changes = self.accepted(writer, &PATIENT, known.id, offered, newest, problems)?;
        changes.extend(self.first_seen(writer, known.id, record)?);
        if stay.is_none() && !all_stays.is_empty() {
            changes.extend(self.returning(writer, known.id)?);
        }
        let changed = !writer.update(&PATIENT, known.id, &changes)?.is_empty();
        let rang = phones::update(writer, &self.span, known.id, &record.phones, newest)?;
        let died = self.tell_death(writer, known, record, problems)?;
        Ok(changed || rang || died)
    }

    /// Whether no other stay of this person ended later than this row's.
    fn is_newest(&self, record: &Record, all_stays: &[KnownStay], stay: Option<&KnownStay>) -> bool {
        let others = all_stays.iter().filter(|other| stay.is_none_or(|stay| stay.id != other.id));
        let latest = others.filter_map(|other| other.discharged_at.as_deref()).max();
        let this = record.stay.discharged.map(values::wall_clock);
        match (latest, this) {
            (Some(latest), Some(this)) => latest < this.as_str(),
            (Some(_), None) => false,
            (None, _) => true,
        }
    }

    /// Of the values a row offers, those that may be written.
    fn accepted(
        &self,
        writer: &Writer<'_>,
        entity: &'static Entity,
        id: Uuid,
        offered: Vec<(Change, Field)>,
        newest: bool,
        problems: &mut Vec<Problem>,
    ) -> Result<Vec<Change>> {
        let names: Vec<&'static str> = offered.iter().map(|((name, _), _)| *name).collect();
        let current = writer.values(entity, id, &names)?;
        let mut changes = Vec::new();
        for (((name, value), field), current) in offered.into_iter().zip(current) {
            if value == current || values::says_nothing(name, &value) {
                continue;
            }
            if values::says_nothing(name, &current) {
                changes.push((name, value));
            } else if newest {
                if self.span.held_by_person(writer.connection(), id, name)? {
                    let kept = Problem::of(field, Code::DeskValueKept);
                    if !problems.contains(&kept) {
                        problems.push(kept);
                    }
                } else {
                    changes.push((name, value));
                }
            }
        }
        Ok(changes)
    }

    /// The earliest day on which the hospital saw the person.
    fn first_seen(&self, writer: &Writer<'_>, id: Uuid, record: &Record) -> Result<Option<Change>> {
        let seen = record.stay.admitted.or(record.stay.discharged).map(|moment| values::date(moment.date));
        let current = writer.values(&PATIENT, id, &["first_seen_on"])?;
        Ok(match (seen, current.first()) {
            (Some(seen), Some(FieldValue::Text(known))) if *known <= seen => None,
            (Some(seen), _) => Some(("first_seen_on", seen.into())),
            (None, _) => None,
        })
    }

    /// A new customer who comes again is an old one, unless somebody chose another kind.
    fn returning(&self, writer: &Writer<'_>, id: Uuid) -> Result<Option<Change>> {
        let kind = writer.values(&PATIENT, id, &["customer_kind"])?;
        let new = kind.first() == Some(&FieldValue::Text("current_new".to_owned()));
        let free = new && !self.span.held_by_person(writer.connection(), id, "customer_kind")?;
        Ok(free.then(|| ("customer_kind", "current".into())))
    }

    /// Death is told once and never taken back by an import.
    fn tell_death(
        &self,
        writer: &mut Writer<'_>,
        known: &Known,
        record: &Record,
        problems: &mut Vec<Problem>,
    ) -> Result<bool> {
        match (died_on(record), known.deceased) {
            (Some(on), false) => {
                let fields =
                    [("deceased", true.into()), ("deceased_on", on.into()), ("deceased_how", "his".into())];
                let changed = !writer.update(&PATIENT, known.id, &fields)?.is_empty();
                followup::stop_patient(writer, known.id, StopReason::Deceased)?;
                Ok(changed)
            }
            (None, true) => {
                let left = record.stay.discharged.map(|moment| values::date(moment.date));
                let later = left.zip(known.deceased_on.clone()).is_none_or(|(left, died)| left > died);
                if later {
                    problems.push(Problem::of(Field::Disposition, Code::DeathKept));
                }
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    fn write_stay(
        &self,
        writer: &mut Writer<'_>,
        patient_id: Uuid,
        known: Option<KnownStay>,
        record: &Record,
        problems: &mut Vec<Problem>,
    ) -> Result<StayDone> {
        let row = &record.stay;
        let Some(known) = known else {
            if row.visit_no.is_none() && row.admitted.is_none() && row.discharged.is_none() {
                return Ok(StayDone::None);
            }
            let id = writer.new_id();
            let mut fields = values::of_stay(row);
            fields.push(("patient_id", patient_id.into()));
            writer.create(&ENCOUNTER, id, &fields)?;
            return Ok(StayDone::Created(id));
        };
        let offered = values::of_stay(row)
            .into_iter()
            .zip(STAY_COLUMNS.map(|(_, field)| field))
            .filter(|((_, value), _)| *value != FieldValue::Null)
            .collect();
        let changes = self.accepted(writer, &ENCOUNTER, known.id, offered, true, problems)?;
        let changed = writer.update(&ENCOUNTER, known.id, &changes)?;
        Ok(if changed.is_empty() { StayDone::Same } else { StayDone::Changed(known.id) })
    }

    fn note_duplicate(
        &self,
        writer: &mut Writer<'_>,
        first: Uuid,
        second: Uuid,
        reasons: &[Suspicion],
    ) -> Result<()> {
        let reasons: Vec<&str> = reasons.iter().map(|reason| reason.code()).collect();
        let id = writer.new_id();
        let found_at = writer.now_millis();
        writer.create(
            &DUPLICATE,
            id,
            &[
                ("first_id", first.into()),
                ("second_id", second.into()),
                ("reasons", serde_json::to_string(&reasons)?.into()),
                ("found_at", found_at.into()),
            ],
        )
    }
}

/// When the row says that the person died: the day, if it has one.
fn died_on(record: &Record) -> Option<Option<String>> {
    (record.stay.disposition == Some(values::DIED))
        .then(|| record.stay.discharged.map(|moment| values::date(moment.date)))
}
