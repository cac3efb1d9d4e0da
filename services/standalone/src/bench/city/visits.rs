//! Visitors of schools: a visit is asked for at the gate, agreed to, and somebody comes and goes.

use anyhow::{Context as _, ensure};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use kit::auth::Role;
use kit::clock::start_of;
use kit::field::{to_date, to_timestamp};
use proto::safety::visit::State;
use proto::safety::visitor::DocumentKind;
use proto::safety::visitor_service_client::VisitorServiceClient;
use proto::safety::{
    ApproveVisitRequest, ArriveVisitRequest, CheckVisitRequest, ConfirmVisitRequest,
    CreateVisitRequest, GetVisitPassRequest, LeaveVisitRequest, Visit, Visitor,
};
use uuid::Uuid;

use super::super::gate::healthy;
use super::super::stand::Doors;
use super::campus;
use super::course::Course;
use super::shift::Shift;
use super::tally::Outcome;
use crate::city::{DISTRICTS, Post, School, resident_id};
use crate::house::Door;

/// What the gate calls itself.
const DEVICE: &str = "visitors";
/// How long after their plans visitors are expected to be outside again.
const SPARE: TimeDelta = TimeDelta::minutes(30);
/// How many visitors are invented as born on one day.
const SERIALS: u32 = 999;

/// How many steps a visit has behind it.
const ASKED: u8 = 1;
const CONFIRMED: u8 = 2;
const APPROVED: u8 = 3;
const INSIDE: u8 = 4;
const OUTSIDE: u8 = 5;

/// Those of a school who have to do with visitors.
pub(super) struct Reception {
    /// The resource name of the school.
    school: String,
    /// Whom visits are to, by resource name.
    host: String,
    guard: VisitorServiceClient<Door>,
    hosting: VisitorServiceClient<Door>,
    doctor: VisitorServiceClient<Door>,
}

impl Reception {
    /// That of a school.
    pub(super) fn of(doors: &Doors<'_>, school: &School<'_>) -> anyhow::Result<Self> {
        let (code, place) = (&school.plan.code, school.plan.org_path());
        let mut staff = school.staff.iter();
        let host = staff.find(|member| member.post == Post::Administration);
        let host = format!("staff/{}", host.context("somebody has visitors")?.id);
        let hosting = doors.open_as(&host, Role::SchoolClerk, &place)?;
        Ok(Self {
            school: format!("organizations/{code}"),
            host,
            guard: VisitorServiceClient::new(doors.open(Role::Guard, code, &place)?),
            hosting: VisitorServiceClient::new(hosting),
            doctor: VisitorServiceClient::new(doors.open(Role::SchoolDoctor, code, &place)?),
        })
    }

    /// What somebody invented asks for, who cannot wait until tomorrow.
    fn wish(
        &self,
        number: u32,
        today: NaiveDate,
        leave: DateTime<Utc>,
    ) -> anyhow::Result<CreateVisitRequest> {
        let born = NaiveDate::from_ymd_opt(1980, 1, 1).context("a day")?;
        let born = born + Days::new((number / SERIALS).into());
        let division = DISTRICTS[number as usize % DISTRICTS.len()].division;
        let visitor = Visitor {
            full_name: "林来访".to_owned(),
            document_kind: DocumentKind::ResidentCard.into(),
            document_number: resident_id(division, born, number % SERIALS + 1),
            phone: format!("199{number:08}"),
            affiliation: "榕城电梯".to_owned(),
            ..Visitor::default()
        };
        let visit = Visit {
            visitor: Some(visitor),
            purpose: "检修电梯".to_owned(),
            host: self.host.clone(),
            visit_date: Some(to_date(today)),
            expected_leave_time: Some(to_timestamp(leave)),
            urgent: true,
            ..Visit::default()
        };
        Ok(CreateVisitRequest {
            parent: self.school.clone(),
            visit: Some(visit),
            request_id: Uuid::new_v4().to_string(),
        })
    }

    /// The pass is fetched and shown.
    async fn show_pass(&self, visit: &str) -> anyhow::Result<()> {
        let request = GetVisitPassRequest {
            name: format!("{visit}/pass"),
        };
        let pass = self.hosting.clone().get_visit_pass(request).await?;
        let request = ArriveVisitRequest {
            parent: self.school.clone(),
            pass_code: pass.into_inner().pass_code,
            request_id: Uuid::new_v4().to_string(),
        };
        self.guard.clone().arrive_visit(request).await?;
        Ok(())
    }
}

impl Shift {
    /// A visit as it is planned, how far it has come, and who receives the visitor.
    fn visit(&self, visit: u32) -> anyhow::Result<(&campus::Visit, &Course, &Reception)> {
        let planned = self.day.visits.get(visit as usize);
        let planned = planned.context("a visit of the day")?;
        let course = self.visits.get(visit as usize);
        let reception = self.crew.receptions.get(planned.school as usize);
        Ok((
            planned,
            course.context("a visit of the day")?,
            reception.context("a reception")?,
        ))
    }

    /// A visitor asks at the gate.
    pub(super) async fn ask_visit(&self, visit: u32) -> anyhow::Result<Outcome> {
        let (planned, course, reception) = self.visit(visit)?;
        let leave = start_of(self.today) + TimeDelta::milliseconds(planned.leave.into());
        let request = reception.wish(visit, self.today, leave + SPARE)?;
        let asked = reception.guard.clone().create_visit(request).await?;
        course.begin(asked.into_inner().name);
        Ok(Outcome::Done)
    }

    /// The host agrees, who has seen the document.
    pub(super) async fn confirm_visit(&self, visit: u32) -> anyhow::Result<Outcome> {
        let (_, course, reception) = self.visit(visit)?;
        let Some(name) = course.after(ASKED) else {
            return Ok(Outcome::Void);
        };
        let request = ConfirmVisitRequest {
            name: name.to_owned(),
            document_seen: true,
            request_id: Uuid::new_v4().to_string(),
        };
        reception.hosting.clone().confirm_visit(request).await?;
        course.reach(CONFIRMED);
        Ok(Outcome::Done)
    }

    /// The school doctor agrees for the epidemic group.
    pub(super) async fn approve_visit(&self, visit: u32) -> anyhow::Result<Outcome> {
        let (_, course, reception) = self.visit(visit)?;
        let Some(name) = course.after(CONFIRMED) else {
            return Ok(Outcome::Void);
        };
        let request = ApproveVisitRequest {
            name: name.to_owned(),
            request_id: Uuid::new_v4().to_string(),
        };
        reception.doctor.clone().approve_visit(request).await?;
        course.reach(APPROVED);
        Ok(Outcome::Done)
    }

    /// The visitor shows a live pass at the gate and is checked there, and must be let in.
    pub(super) async fn arrive(&self, visit: u32) -> anyhow::Result<Outcome> {
        let (_, course, reception) = self.visit(visit)?;
        let Some(name) = course.after(APPROVED) else {
            return Ok(Outcome::Void);
        };
        reception.show_pass(name).await?;
        let request = CheckVisitRequest {
            name: name.to_owned(),
            observation: Some(healthy(self.today)),
            mask_worn: true,
            device: DEVICE.to_owned(),
            request_id: Uuid::new_v4().to_string(),
            ..CheckVisitRequest::default()
        };
        let checked = reception.guard.clone().check_visit(request).await?;
        let state = checked.into_inner().state();
        ensure!(state == State::Admitted, "{state:?}");
        course.reach(INSIDE);
        Ok(Outcome::Done)
    }

    /// The visitor goes.
    pub(super) async fn depart(&self, visit: u32) -> anyhow::Result<Outcome> {
        let (_, course, reception) = self.visit(visit)?;
        let Some(name) = course.after(INSIDE) else {
            return Ok(Outcome::Void);
        };
        let request = LeaveVisitRequest {
            name: name.to_owned(),
            request_id: Uuid::new_v4().to_string(),
            ..LeaveVisitRequest::default()
        };
        reception.guard.clone().leave_visit(request).await?;
        course.reach(OUTSIDE);
        Ok(Outcome::Done)
    }
}
