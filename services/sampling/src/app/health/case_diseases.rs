//! What a case is of: named late, or by the school doctor, and what follows for its reports.

use chrono::{DateTime, Utc};
use kit::db::Tx;
use kit::hop;
use sea_orm::Value;

use super::alarms::{RULE, case_id};
use super::case_files::{MILD, log, room_of, school_of};
use crate::app::App;
use crate::domain::health::case::{Detection, Happening, Outcome, Subject, Verb};
use crate::domain::health::disease::{Certainty, Disease};
use crate::domain::health::report;
use crate::domain::health::return_rule::Course;
use crate::domain::roll::{GroupKind, person};
use crate::error::Error;
use crate::grpc::convert::person_name;
use crate::grpc::health::case_convert::disease_name;
use crate::store::health::cases::{self, CaseRow};
use crate::store::health::medical::MedicalRow;
use crate::store::health::reports::{HopRow, files};
use kit::rows::{Lock, Row};

impl App {
    /// Names the disease of a locked case from now on: the whole chain hears of it if it must, and
    /// its reports are due sooner if they are, and its contacts are controlled by the rule of the
    /// disease; nothing becomes more lenient (rules 1.17, 1.18, 2.21). The
    /// caller stores it.
    pub(super) async fn name_disease(
        &self,
        tx: &Tx,
        row: &mut CaseRow,
        disease: Disease,
        actor: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let before = Disease(std::mem::replace(&mut row.disease, disease.0));
        self.say_revised(tx, row, before, now).await?;
        let policy = self.policy_at(tx, &row.org_path).await?;
        let time = now.timestamp_millis();
        let is_event = row.subject == Subject::Event as i16;
        if report::is_urgent(&policy.health, disease, is_event) && !row.urgent {
            row.urgent = true;
            let file = files(tx, vec![row.clone()])
                .await?
                .pop()
                .unwrap_or_default();
            let received = |level: i16| {
                let steps = file.receipts().filter(|step| step.level == level);
                steps.map(|step| step.time).min()
            };
            let is_new = |hop: &hop::Hop| file.hops.iter().all(|one| one.from_level != hop.from);
            let chain = report::chain(&policy.health, true).into_iter();
            let hops: Vec<HopRow> = chain
                .filter(is_new)
                .map(|hop| HopRow {
                    case_id: row.id.clone(),
                    from_level: hop.from,
                    to_level: hop.to,
                    // Whoever received before had nothing to send on until now.
                    sla: hop::millis(hop.sla)
                        + received(hop.from).map_or(0, |received| time - received),
                })
                .collect();
            HopRow::add(tx, &hops).await?;
        }
        let every = hop::millis(report::follow_up(&policy.health, row.urgent));
        if every != 0 && (row.follow_up == 0 || every < row.follow_up) {
            row.follow_up = every;
            let due = time + every;
            if row.reports != 0 && (row.follow_due == 0 || due < row.follow_due) {
                row.follow_due = due;
            }
        }
        let limit = report::first_limit(&policy.health, disease, row.toll()?);
        if row.first_time == 0 {
            row.first_due = row.first_due.min(time + hop::millis(limit));
        }
        self.restart_clocks(tx, row, now).await?;
        self.recontrol_contacts(tx, row, now).await?;
        let named = disease_name(Some(disease));
        log(tx, row, Happening::Disease, actor, &named, now).await
    }

    /// Opens the case of what the school doctor confirmed, or confirms the open one of that disease
    /// or of a disease that was not known (rule 1.16). Where the doctor had confirmed `before` of the
    /// same illness, that was a mistake: its case is renamed or, when the disease has a case of its own,
    /// ruled out. What a swab found is left to the laboratory, and what is urgent or was reported is
    /// ruled out above the school only. The school of `row` is locked by the caller.
    pub(super) async fn confirm_by_doctor(
        &self,
        tx: &Tx,
        row: &MedicalRow,
        (before, course): (Option<Disease>, &Course),
        actor: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let Some(disease) = course.disease else {
            return Ok(());
        };
        let school = school_of(&row.org_path);
        let open = cases::open_of(tx, vec![row.person.clone().into()]).await?;
        let mut mistaken = None;
        for case in open.iter().filter(|case| case.school == school) {
            let is_other = before.is_some_and(|before| before.0 == case.disease);
            if is_other && case.disease != disease.0 && !is_by_swab(tx, case).await? {
                mistaken = Some(case);
            }
        }
        let same = open.iter().find(|case| case.disease == disease.0);
        if let (Some(_), Some(case)) = (same, mistaken)
            && !case.urgent
            && case.reports == 0
        {
            self.end_mistaken(tx, case.clone(), actor, now).await?;
        }
        let unnamed = || {
            let mut here = open.iter().filter(|case| case.school == school);
            here.find(|case| case.disease == 0)
        };
        let known = same.or(mistaken).or_else(unnamed);
        if let Some(mut case) = known.cloned() {
            let is_suspected = case.certainty == Certainty::Suspected.code();
            let is_named = case.disease == disease.0;
            if case.school != school || (is_named && !is_suspected) {
                return Ok(());
            }
            if !is_named {
                self.name_disease(tx, &mut case, disease, actor, now)
                    .await?;
            }
            if is_suspected {
                case.stand(case.standing()?.after(Verb::Confirm)?);
                case.confirm_time = now.timestamp_millis();
                self.recontrol_contacts(tx, &case, now).await?;
                log(tx, &mut case, Happening::Confirmed, actor, "", now).await?;
            }
            self.say_case(tx, &case, false, now).await?;
            self.finish_case(tx, case, now).await?;
            return Ok(());
        }
        let kind = GroupKind::from_code(row.kind).unwrap_or(GroupKind::Students);
        let name = person_name(kind, person(&row.person));
        let course_of = row.cleared.to_be_bytes();
        let id = case_id(&[name.as_bytes(), &course_of, &disease.0.to_be_bytes()]);
        if CaseRow::get(tx, &id, Lock::No).await?.is_some() {
            return Ok(());
        }
        let policy = self.policy_at(tx, &row.org_path).await?;
        let case = CaseRow {
            id,
            subject: Subject::Person as i16,
            dormitory: room_of(tx, &row.org_path, &row.person).await?,
            person: row.person.clone(),
            kind: row.kind,
            school: school.to_owned(),
            org_path: row.org_path.clone(),
            disease: disease.0,
            certainty: Certainty::Confirmed.code(),
            severity: MILD,
            onset: i32::from(course.onset.number()),
            detection: Detection::Hospital as i16,
            basis: format!("{name}/health"),
            people: 1,
            detect_time: now.timestamp_millis(),
            confirm_time: now.timestamp_millis(),
            ..CaseRow::default()
        };
        self.add_case(tx, case, &policy, RULE, now).await?;
        Ok(())
    }

    /// Rules out the case of what the school doctor had taken for another disease.
    async fn end_mistaken(
        &self,
        tx: &Tx,
        mut case: CaseRow,
        actor: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let verb = Verb::RuleOut(Outcome::RuledOut);
        case.stand(case.standing()?.after(verb)?);
        case.close_time = now.timestamp_millis();
        log(tx, &mut case, Happening::RuledOut, actor, "", now).await?;
        self.say_case(tx, &case, false, now).await?;
        self.release_contacts(tx, &case, now).await?;
        self.stop_clocks(tx, &case).await?;
        self.finish_case(tx, case, now).await?;
        Ok(())
    }

    /// One disease has one open case a person.
    pub(super) async fn is_only_case(
        &self,
        tx: &Tx,
        row: &CaseRow,
        disease: Disease,
    ) -> Result<(), Error> {
        if row.person.is_empty() {
            return Ok(());
        }
        let key: Value = row.person.clone().into();
        let open = CaseRow::find(tx, "outcome = 0 AND person", vec![key], Lock::No).await?;
        let mut others = open.iter().filter(|other| other.id != row.id);
        match others.find(|other| other.disease == disease.0) {
            Some(other) => Err(Error::AlreadyExists(other.name())),
            None => Ok(()),
        }
    }
}

/// Whether a swab speaks of the person of a case.
async fn is_by_swab(tx: &Tx, case: &CaseRow) -> Result<bool, Error> {
    let found = case.detection == Detection::Laboratory as i16;
    Ok(found || !cases::findings(tx, &case.id).await?.is_empty())
}
