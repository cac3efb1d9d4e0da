//! Class reporters of the invented city, each with a token for one class group, who submit checks.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use chrono::NaiveDate;
use kit::auth::Role;
use kit::field::to_date;
use proto::roster::Symptom;
use proto::roster::check_policy::Slot;
use proto::sampling::screening_service_client::ScreeningServiceClient;
use proto::sampling::submit_check_response::Verdict;
use proto::sampling::{CheckFinding, CheckSubmission, SubmitCheckRequest};
use tonic::Code;
use tonic::service::interceptor::InterceptedService;
use uuid::Uuid;

use super::harness::Answer;
use super::stand::Stand;
use crate::house::Door;
use crate::token::Bearer;

/// How many connections to the gateway they share, as behind a carrier's proxies.
const CONNECTIONS: usize = 16;
/// One check in so many finds somebody with symptoms: 3 %.
const FINDING_EVERY: usize = 33;
/// How long their tokens are valid: longer than a measurement's days.
const TERM: Duration = Duration::from_secs(120 * 24 * 3600);

/// One class group and who reports for it.
#[derive(Clone)]
struct Group {
    name: String,
    school: u32,
    people: Vec<Uuid>,
    reporter: ScreeningServiceClient<Door>,
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
        let gateway = stand.house.gateway();
        let channels = (0..CONNECTIONS).map(|_| kit::channel::Channel::to(&gateway, None));
        let channels: Vec<_> = channels.collect::<Result<_, _>>()?;
        let mut groups = Vec::new();
        for school in stand.city.schools() {
            let path = school.plan.org_path();
            for class in &school.classes {
                let path = format!("{path}/{}", class.id);
                let path = path.parse().ok().context("a class group is a place")?;
                let subject = format!("teacher-{}-{}", school.plan.code, class.id);
                let token = stand
                    .house
                    .token(&subject, Role::ClassReporter, &path, TERM);
                let channel = channels[groups.len() % CONNECTIONS].clone();
                let door = InterceptedService::new(channel, Bearer::new(&token)?);
                groups.push(Group {
                    name: format!(
                        "organizations/{}/classGroups/{}",
                        school.plan.code, class.id
                    ),
                    school: school.plan.index,
                    people: class.students.iter().map(|student| student.id).collect(),
                    reporter: ScreeningServiceClient::new(door),
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

    /// Submits one check, which must be stored unless the services are overloaded.
    pub(super) async fn submit(self, session: Session) -> anyhow::Result<Answer> {
        let group = &self.0[session.group];
        let count = i32::try_from(group.people.len())?;
        let finding = session.ill.map(|place| CheckFinding {
            person: format!("students/{}", group.people[place % group.people.len()]),
            symptoms: vec![Symptom::Fever.into(), Symptom::Cough.into()],
            temperature_tenths: 381,
            ..CheckFinding::default()
        });
        let check = CheckSubmission {
            scope: group.name.clone(),
            check_date: Some(to_date(session.day)),
            slot: session.slot.into(),
            roll_count: count,
            present_count: count,
            findings: finding.into_iter().collect(),
            client_id: Uuid::new_v4().to_string(),
            ..CheckSubmission::default()
        };
        let request = SubmitCheckRequest { check: Some(check) };
        let answer = match group.reporter.clone().submit_check(request).await {
            Err(status) if status.code() == Code::ResourceExhausted => {
                return Ok(Answer::Overloaded);
            }
            answer => answer?,
        };
        let verdict = answer.into_inner().verdict();
        ensure!(verdict == Verdict::Stored, "a check was {verdict:?}");
        Ok(Answer::Done)
    }
}
