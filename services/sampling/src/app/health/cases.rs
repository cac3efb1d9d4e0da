//! Cases as humans open, judge and close them.

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::request::{Once, once};
use kit::status::Problem;
use prost::Message;
use proto::sampling::Case;
use std::collections::BTreeMap;

use super::case_files::{Locked, check_decides, log, room_of};
use crate::app::App;
use crate::app::controls::Controls;
use crate::app::holds::Unsettled;
use crate::domain::day::Day;
use crate::domain::health::case::{Happening, Outcome, Subject, Verb};
use crate::domain::health::disease::{Disease, Severity};
use crate::domain::health::report::first_limit;
use crate::domain::health::return_rule::earliest_onset;
use crate::domain::roll::{GroupKind, PersonId};
use crate::error::Error;
use crate::grpc::convert::person_name;
use crate::grpc::health::case_convert;
use crate::grpc::tube_convert::member;
use crate::store::health::cases::{self, CaseEventRow, CaseRow};
use crate::store::health::contacts::ContactRow;
use crate::store::health::reports::{CaseFile, files};
use crate::store::people;
use crate::store::tubes::TubeRow;
use kit::rows::{Lock, Row};

/// How far back something may have been found: reports count from then.
const BACK: chrono::Duration = chrono::Duration::days(30);

/// What a case is about.
#[derive(Clone, Debug)]
pub(crate) enum About {
    /// One person.
    Person(PersonId, GroupKind),
    /// An event at an organisation, of a kind, that concerns as many people.
    Event(String, i16, i32),
}

/// A case to be opened. The numbers are those of the contract.
#[derive(Clone, Debug)]
pub(crate) struct NewCase {
    pub(crate) about: About,
    pub(crate) disease: i16,
    pub(crate) certainty: i16,
    pub(crate) severity: Severity,
    pub(crate) onset: Day,
    pub(crate) detection: i16,
    pub(crate) basis: String,
    pub(crate) detected: Option<DateTime<Utc>>,
    /// Of an event: its people in hospital, and its dead.
    pub(crate) grave: (i32, i32),
}

/// What a human does with a case.
#[derive(Clone, Debug)]
pub(crate) enum CaseChange {
    /// Why, and of what disease if that is told.
    Confirm(String, Option<Disease>),
    RuleOut(String),
    Grade(Severity),
    Close {
        outcome: Outcome,
        reason: String,
        release_contacts: bool,
    },
}

impl CaseChange {
    fn method(&self) -> &'static str {
        match self {
            Self::Confirm(..) => "ConfirmCase",
            Self::RuleOut(_) => "RuleOutCase",
            Self::Grade(_) => "UpdateSeverity",
            Self::Close { .. } => "CloseCase",
        }
    }

    fn verb(&self) -> Verb {
        match self {
            Self::Confirm(..) => Verb::Confirm,
            Self::RuleOut(_) => Verb::RuleOut(Outcome::RuledOut),
            Self::Grade(severity) => Verb::Grade(*severity),
            Self::Close { outcome, .. } => Verb::Close(*outcome),
        }
    }

    fn happening(&self) -> Happening {
        match self {
            Self::Confirm(..) => Happening::Confirmed,
            Self::RuleOut(_) => Happening::RuledOut,
            Self::Grade(_) => Happening::Severity,
            Self::Close { .. } => Happening::Closed,
        }
    }

    /// Whether people are let go whom the case keeps away: its person, or its contacts before their
    /// day.
    fn frees(&self) -> bool {
        match self {
            Self::RuleOut(_) => true,
            Self::Close {
                release_contacts, ..
            } => *release_contacts,
            Self::Confirm(..) | Self::Grade(_) => false,
        }
    }

    fn reason(&self) -> &str {
        match self {
            Self::Confirm(reason, _) | Self::RuleOut(reason) | Self::Close { reason, .. } => reason,
            Self::Grade(_) => "",
        }
    }
}

impl App {
    /// Opens a case.
    pub(crate) async fn open_case(
        &self,
        caller: &Caller,
        new: NewCase,
        (request_id, request): (&str, &impl Message),
    ) -> Result<Case, Error> {
        caller.allowed(Permission::CaseWrite)?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let mut row = self.place_case(&tx, caller, &new.about).await?;
        let ticket = match once(&tx, caller, "OpenCase", request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let detected = new.detected.unwrap_or(now);
        if detected > now || detected < now - BACK {
            let (chinese, english) = (
                "不得晚于现在，也不得早于 30 天前",
                "must be within the last 30 days",
            );
            return Err(Problem::invalid("detect_time", chinese, english).into());
        }
        let today = self.today();
        let is_known = !new.onset.is_never();
        if is_known && (new.onset > today || new.onset < earliest_onset(today)) {
            let (chinese, english) = ("应在今天及此前 60 天内", "within the last 60 days");
            return Err(Problem::invalid("onset_date", chinese, english).into());
        }
        self.lock_health(&tx, &[&row.school]).await?;
        let known = self.known_since(&tx, &row.school, &new.basis).await?;
        let detected = detected.timestamp_millis();
        row.detect_time = known.map_or(detected, |known| known.min(detected));
        if !row.person.is_empty() {
            let open = cases::open_of(&tx, vec![row.person.clone().into()]).await?;
            if let Some(same) = open.iter().find(|open| open.disease == new.disease) {
                return Err(Error::AlreadyExists(same.name()));
            }
            row.dormitory = room_of(&tx, &row.org_path, &row.person).await?;
        }
        let mut id = [0; 16];
        id.copy_from_slice(&(self.entropy)()[..16]);
        row.id = uuid::Builder::from_random_bytes(id).into_uuid().to_string();
        row.disease = new.disease;
        row.certainty = new.certainty;
        row.severity = new.severity.code();
        row.onset = i32::from(new.onset.number());
        row.detection = new.detection;
        row.basis = new.basis;
        (row.hospitalised, row.dead) = new.grave;
        if row.certainty == 2 {
            row.confirm_time = now.timestamp_millis();
        }
        if new.severity == Severity::Dead {
            row.death_time = now.timestamp_millis();
        }
        let policy = self.policy_at(&tx, &row.org_path).await?;
        let file = self
            .add_case(&tx, row, &policy, &caller.subject, now)
            .await?;
        let answer = case_convert::case(&file, now);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Where a case belongs, if the caller may open one there.
    async fn place_case(&self, tx: &Tx, caller: &Caller, about: &About) -> Result<CaseRow, Error> {
        match about {
            About::Person(person, kind) => {
                let found = people::locate(tx, *person).await?;
                let found = found.filter(|found| found.group.kind == *kind);
                let path = found.as_ref().map_or("", |found| &found.group.path);
                Self::check_path(caller, Permission::CaseWrite, path)?;
                let missing = || Error::NotFound(person_name(*kind, *person));
                let group = found.ok_or_else(missing)?.group;
                Ok(CaseRow {
                    subject: Subject::Person as i16,
                    person: person.0.to_vec(),
                    kind: kind.code(),
                    school: group.school_path().to_owned(),
                    org_path: group.path,
                    people: 1,
                    ..CaseRow::default()
                })
            }
            About::Event(organization, kind, people) => {
                let place = self
                    .place(caller, Permission::CaseWrite, organization)
                    .await?;
                Ok(CaseRow {
                    subject: Subject::Event as i16,
                    event_kind: *kind,
                    people: *people,
                    school: place.to_string(),
                    org_path: place.to_string(),
                    ..CaseRow::default()
                })
            }
        }
    }

    /// Confirms, rules out, grades or closes a case.
    pub(crate) async fn change_case(
        &self,
        caller: &Caller,
        id: &str,
        change: CaseChange,
        (request_id, request): (&str, &impl Message),
    ) -> Result<Case, Error> {
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let permission = Permission::CaseWrite;
        let Locked { mut row, tubes } = self.locked_case(&tx, caller, permission, id, &[]).await?;
        let ticket = match once(&tx, caller, change.method(), request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        if matches!(change, CaseChange::Grade(_)) && row.subject == Subject::Event as i16 {
            return Err(Error::CaseState("EVENT"));
        }
        let standing = row.standing()?.after(change.verb())?;
        if change.frees() {
            check_decides(caller, &row)?;
        }
        row.stand(standing);
        match change {
            CaseChange::Confirm(_, disease) => {
                row.confirm_time = now.timestamp_millis();
                let disease = disease.filter(|disease| disease.0 != row.disease);
                if let Some(disease) = disease {
                    self.is_only_case(&tx, &row, disease).await?;
                    self.name_disease(&tx, &mut row, disease, &caller.subject, now)
                        .await?;
                } else if row.disease == 0 && !row.person.is_empty() {
                    return Err(Problem::invalid("disease", "须填写确诊的病种", "required").into());
                }
                self.exclude_by_case(&tx, &row, &caller.subject, now)
                    .await?;
                self.recontrol_contacts(&tx, &row, now).await?;
            }
            CaseChange::Grade(Severity::Dead) => row.death_time = now.timestamp_millis(),
            CaseChange::Grade(_) => {}
            CaseChange::RuleOut(_) => {
                row.close_time = now.timestamp_millis();
                self.lift_case(&tx, &row, &caller.subject, now).await?;
            }
            CaseChange::Close { .. } => row.close_time = now.timestamp_millis(),
        }
        if matches!(change, CaseChange::Grade(_)) && row.first_time == 0 {
            self.shorten(&tx, &mut row, now).await?;
        }
        let (happening, reason) = (change.happening(), change.reason());
        log(&tx, &mut row, happening, &caller.subject, reason, now).await?;
        self.say_case(&tx, &row, false, now).await?;
        if !standing.is_open() {
            CaseRow::save(&tx, std::slice::from_ref(&row)).await?;
            let excluded = standing.certainty.is_none();
            let release = matches!(
                change,
                CaseChange::Close {
                    release_contacts: true,
                    ..
                }
            );
            if excluded || release {
                self.release_contacts(&tx, &row, now).await?;
            }
            if excluded {
                self.stop_clocks(&tx, &row).await?;
            }
            self.settle_holds(&tx, caller, change.method(), tubes, now)
                .await?;
        }
        let file = self.finish_case(&tx, row, now).await?;
        let answer = case_convert::case(&file, now);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// The first report of a case that became graver may be due sooner (rule 1.19); one that became
    /// lighter has no more time than before.
    pub(super) async fn shorten(
        &self,
        tx: &Tx,
        row: &mut CaseRow,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let policy = self.policy_at(tx, &row.org_path).await?;
        let limit = first_limit(&policy.health, Disease(row.disease), row.toll()?);
        let due = now.timestamp_millis() + kit::hop::millis(limit);
        if due < row.first_due {
            row.first_due = due;
            self.restart_clocks(tx, row, now).await?;
        }
        Ok(())
    }

    /// Lets the holds that led to a case follow from what it says now. Their tubes are locked.
    pub(super) async fn settle_holds(
        &self,
        tx: &Tx,
        caller: &Caller,
        verb: &str,
        mut tubes: BTreeMap<String, TubeRow>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let before = tubes.clone();
        let unsettled = Unsettled {
            holds: tubes.keys().cloned().collect(),
            ..Unsettled::default()
        };
        self.settle(tx, caller, &mut tubes, &unsettled, now).await?;
        let moved = tubes.into_values();
        let mut moved: Vec<TubeRow> = moved
            .filter(|tube| before.get(&tube.code) != Some(tube))
            .collect();
        self.noted(tx, caller, &mut moved, verb, "", now).await
    }

    /// Ends the controls of everybody who is a contact of this case.
    pub(super) async fn release_contacts(
        &self,
        tx: &Tx,
        row: &CaseRow,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let key = vec![row.id.as_str().into()];
        let mut rows = ContactRow::find(tx, "case_id", key, Lock::No).await?;
        rows.retain(|contact| contact.control != 0 && contact.remove_time == 0);
        let mut controls = Controls::default();
        for contact in &mut rows {
            let name = member(contact.kind, &contact.person);
            controls.lift(name, contact.person.clone(), row.name());
            super::contacts::end_timer(tx, contact).await?;
            contact.control = 0;
            contact.until = now.timestamp_millis();
        }
        ContactRow::save(tx, &rows).await?;
        self.move_controls(tx, controls, now).await
    }

    /// One case with its chain.
    pub(crate) async fn get_case(&self, caller: &Caller, id: &str) -> Result<CaseFile, Error> {
        let row = self.readable_case(caller, Permission::CaseRead, id).await?;
        let found = files(self.db.read(), vec![row]).await?.pop();
        found.ok_or_else(|| Error::NotFound(format!("cases/{id}")))
    }

    /// Cases below an organisation, by identifier after `after`.
    pub(crate) async fn list_cases(
        &self,
        caller: &Caller,
        organization: &str,
        (open, disease, late): (Option<bool>, Option<i16>, bool),
        after: &str,
        limit: u64,
    ) -> Result<Vec<CaseFile>, Error> {
        let place = self
            .place(caller, Permission::CaseRead, organization)
            .await?;
        let filter = cases::Filter {
            place: &place,
            open,
            disease,
            late,
            after,
            limit,
        };
        let rows = cases::list(self.db.read(), filter).await?;
        Ok(files(self.db.read(), rows).await?)
    }

    /// What happened to a case after an event.
    pub(crate) async fn list_case_events(
        &self,
        caller: &Caller,
        id: &str,
        after: i32,
        limit: u64,
    ) -> Result<Vec<CaseEventRow>, Error> {
        self.readable_case(caller, Permission::CaseRead, id).await?;
        Ok(cases::events(self.db.read(), id, after, limit).await?)
    }
}
