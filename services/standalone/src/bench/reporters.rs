//! Class reporters of the invented city, each with a token for one class group, who submit checks.

use std::sync::Arc;

use anyhow::ensure;
use chrono::NaiveDate;
use kit::auth::Role;
use kit::field::to_date;
use proto::roster::Symptom;
use proto::roster::check_policy::Slot;
use proto::sampling::screening_service_client::ScreeningServiceClient;
use proto::sampling::submit_check_response::Verdict;
use proto::sampling::{CheckAbsence, CheckFinding, CheckSubmission, SubmitCheckRequest};
use tonic::{Code, Status};
use uuid::Uuid;

use super::harness::Answer;
use super::stand::{Doors, Stand};
use crate::house::Door;

/// One check in so many finds somebody with symptoms: 3 %.
const FINDING_EVERY: usize = 33;

/// One class group and who reports for it.
#[derive(Clone)]
struct Group {
    name: String,
    school: u32,
    people: Vec<Uuid>,
    door: Door,
}

/// What a reporter found.
#[derive(Clone, Debug, Default)]
pub(super) struct Roll {
    /// Who has symptoms; nobody makes it a zero report.
    pub(super) findings: Vec<CheckFinding>,
    /// Who is not there.
    pub(super) absences: Vec<CheckAbsence>,
}

/// A check of `scope`, where `count` people are on the roll.
pub(super) fn submission(
    scope: String,
    count: usize,
    (day, slot): (NaiveDate, Slot),
    roll: Roll,
) -> SubmitCheckRequest {
    // A class group has tens of people.
    let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let absent = roll.absences.len();
    let check = CheckSubmission {
        scope,
        check_date: Some(to_date(day)),
        slot: slot.into(),
        roll_count: number(count),
        present_count: number(count.saturating_sub(absent)),
        absent_count: number(absent),
        findings: roll.findings,
        absences: roll.absences,
        client_id: Uuid::new_v4().to_string(),
        ..CheckSubmission::default()
    };
    SubmitCheckRequest { check: Some(check) }
}

/// Everybody who reports.
#[derive(Clone)]
pub(super) struct Reporters(Arc<Vec<Group>>);

/// One check that is to be submitted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Session {
    group: usize,
    pub(super) day: NaiveDate,
    slot: Slot,
    /// Who has symptoms, by the place on the roll; nobody makes it a zero report.
    ill: Option<usize>,
}

impl Reporters {
    /// One for each class group of the city.
    pub(super) fn of(stand: &Stand) -> anyhow::Result<Self> {
        let doors = Doors::new(&stand.house, &stand.house.gateway())?;
        let mut groups = Vec::new();
        for school in stand.city.schools() {
            let path = school.plan.org_path();
            for class in &school.classes {
                let code = format!("{}-{}", school.plan.code, class.id);
                let place = format!("{path}/{}", class.id);
                let door = doors.open(Role::ClassReporter, &code, &place)?;
                groups.push(Group {
                    name: format!(
                        "organizations/{}/classGroups/{}",
                        school.plan.code, class.id
                    ),
                    school: school.plan.index,
                    people: class.students.iter().map(|student| student.id).collect(),
                    door,
                });
            }
        }
        Ok(Self(Arc::new(groups)))
    }

    /// One check of each class group; one in 33 finds somebody.
    pub(super) fn sessions(
        &self,
        day: NaiveDate,
        slot: Slot,
    ) -> impl Iterator<Item = Session> + use<> {
        (0..self.0.len()).map(move |group| Session {
            group,
            day,
            slot,
            ill: (group % FINDING_EVERY == slot as usize).then_some(group / FINDING_EVERY),
        })
    }

    /// One zero report of each class group.
    pub(super) fn zero(&self, day: NaiveDate, slot: Slot) -> impl Iterator<Item = Session> + use<> {
        self.sessions(day, slot).map(|session| Session {
            ill: None,
            ..session
        })
    }

    /// One check of each class group, each of which finds somebody, another one each time.
    pub(super) fn outbreak(
        &self,
        day: NaiveDate,
        slot: Slot,
        place: usize,
    ) -> impl Iterator<Item = Session> + use<> {
        let ill = Some(place);
        (0..self.0.len()).map(move |group| Session {
            group,
            day,
            slot,
            ill,
        })
    }

    /// The reporters of the school with the most class groups.
    pub(super) fn largest_school(&self) -> Self {
        let mut counts = std::collections::BTreeMap::<u32, usize>::new();
        for group in self.0.iter() {
            *counts.entry(group.school).or_default() += 1;
        }
        let school = counts.into_iter().max_by_key(|(_, count)| *count);
        let school = school.map(|(school, _)| school);
        let groups = self.0.iter().filter(|group| Some(group.school) == school);
        Self(Arc::new(groups.cloned().collect()))
    }

    /// How many class groups there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// How many people are on the roll of a class group.
    pub(super) fn size(&self, group: usize) -> usize {
        self.0[group].people.len()
    }

    /// The resource name of a class group, and the connection of its reporter.
    pub(super) fn at(&self, group: usize) -> (&str, Door) {
        let group = &self.0[group];
        (&group.name, group.door.clone())
    }

    /// The resource name of a pupil by the place on the roll.
    pub(super) fn person(&self, group: usize, place: usize) -> String {
        let people = &self.0[group].people;
        format!("students/{}", people[place % people.len()])
    }

    /// Submits what was found in a class group; gives what became of it.
    pub(super) async fn report(
        &self,
        group: usize,
        when: (NaiveDate, Slot),
        roll: Roll,
    ) -> Result<Verdict, Status> {
        let group = &self.0[group];
        let request = submission(group.name.clone(), group.people.len(), when, roll);
        let mut reporter = ScreeningServiceClient::new(group.door.clone());
        Ok(reporter.submit_check(request).await?.into_inner().verdict())
    }

    /// Submits one check, which must be stored unless the services are overloaded.
    pub(super) async fn submit(self, session: Session) -> anyhow::Result<Answer> {
        let finding = session.ill.map(|place| CheckFinding {
            person: self.person(session.group, place),
            symptoms: vec![Symptom::Fever.into(), Symptom::Cough.into()],
            temperature_tenths: 381,
            ..CheckFinding::default()
        });
        let roll = Roll {
            findings: finding.into_iter().collect(),
            ..Roll::default()
        };
        let when = (session.day, session.slot);
        let verdict = match self.report(session.group, when, roll).await {
            Err(status) if status.code() == Code::ResourceExhausted => {
                return Ok(Answer::Overloaded);
            }
            verdict => verdict?,
        };
        ensure!(verdict == Verdict::Stored, "a check was {verdict:?}");
        Ok(Answer::Done)
    }
}
