//! A school where people are checked.

use std::time::Duration;

use kit::auth::Role;
use kit::scratch::Scratch;
use proto::roster::check_policy::Slot;
use proto::roster::{PolicyProfile, Symptom};
use proto::sampling::sampling_event::State as EventState;
use proto::sampling::sampling_feed_client::SamplingFeedClient;
use proto::sampling::screening_service_client::ScreeningServiceClient;
use proto::sampling::submit_check_response::Verdict;
use proto::sampling::{
    BatchSubmitChecksRequest, Check, CheckFinding, CheckSubmission, GetCheckRequest,
    ListMissingRequest, MissingCheck, SamplingEvent, SamplingSnapshotRequest, ScreeningDay,
    SubmitCheckRequest, SubmitCheckResponse, SubmittedCheck,
};
use sampling::domain::health::dormitory;
use tonic::Status;

use super::town::roster::policy;
use super::town::{
    Authorised, CITY, OTHER_SCHOOL, Roster, SCHOOL, Town, class, roster::board, school_path,
};

pub(crate) const FIRST: &str = "p2019-01";
pub(crate) const SECOND: &str = "p2019-02";

/// A town with a boarding school of two class groups and some staff, and another school.
pub(crate) struct Site(pub(crate) Town);

/// The member of staff with this number.
pub(crate) fn teacher(number: u32) -> String {
    format!("staff/{}", uuid::Uuid::from_u64_pair(7, u64::from(number)))
}

pub(crate) fn group(school: &str, id: &str) -> String {
    format!("organizations/{school}/classGroups/{id}")
}

/// The resource name of a room of the first school.
pub(crate) fn room(room: &str) -> String {
    let id = dormitory::id(&school_path(SCHOOL), room);
    format!("organizations/{SCHOOL}/dormitories/{id}")
}

/// Somebody with symptoms.
pub(crate) fn finding(person: String, symptoms: &[Symptom]) -> CheckFinding {
    CheckFinding {
        person,
        symptoms: symptoms.iter().copied().map(i32::from).collect(),
        ..CheckFinding::default()
    }
}

impl Site {
    pub(crate) async fn open(database: Scratch) -> Self {
        Self::open_under(database, policy()).await
    }

    pub(crate) async fn open_under(database: Scratch, policy: PolicyProfile) -> Self {
        let roster = Roster::town_under(policy);
        let mut first = class(SCHOOL, FIRST, 0, 45);
        board(&mut first, 0..2, "3-201");
        let mut second = class(SCHOOL, SECOND, 100, 40);
        board(&mut second, 0..1, "3-201");
        board(&mut second, 1..3, "3-202");
        roster.class(first);
        roster.class(second);
        roster.class(class(OTHER_SCHOOL, FIRST, 200, 30));
        roster.staff(
            SCHOOL,
            &[(teacher(1), &["TEACHER"], 3), (teacher(2), &[], 3)],
        );
        Self(Town::start(database, roster).await)
    }

    pub(crate) fn client(&self, roles: &[Role], scope: &str) -> ScreeningServiceClient<Authorised> {
        ScreeningServiceClient::new(self.0.authorised(roles, scope))
    }

    /// The school doctor.
    pub(crate) fn doctor(&self) -> ScreeningServiceClient<Authorised> {
        self.client(&[Role::SchoolDoctor], &school_path(SCHOOL))
    }

    /// A zero report of today with another identifier each time.
    pub(crate) fn zero(&self, scope: &str, slot: Slot) -> CheckSubmission {
        CheckSubmission {
            scope: scope.to_owned(),
            check_date: Some(self.0.date()),
            slot: slot.into(),
            roll_count: 45,
            present_count: 44,
            absent_count: 1,
            client_id: uuid::Uuid::new_v4().to_string(),
            ..CheckSubmission::default()
        }
    }

    /// A check that lists somebody.
    pub(crate) fn ill(
        &self,
        scope: &str,
        slot: Slot,
        findings: Vec<CheckFinding>,
    ) -> CheckSubmission {
        CheckSubmission {
            findings,
            ..self.zero(scope, slot)
        }
    }

    pub(crate) async fn try_submit(
        &self,
        check: &CheckSubmission,
    ) -> Result<SubmitCheckResponse, Status> {
        let request = SubmitCheckRequest {
            check: Some(check.clone()),
        };
        let answer = self.doctor().submit_check(request).await?;
        Ok(answer.into_inner())
    }

    pub(crate) async fn submit(&self, check: &CheckSubmission) -> (Verdict, Check) {
        let answer = self.try_submit(check).await.expect("submitted");
        let check = answer.check.clone().expect("a check");
        (answer.verdict(), check)
    }

    pub(crate) async fn batch(&self, checks: Vec<CheckSubmission>) -> Vec<SubmittedCheck> {
        let request = BatchSubmitChecksRequest { checks };
        let answer = self.doctor().batch_submit_checks(request).await;
        answer.expect("answered").into_inner().results
    }

    pub(crate) async fn get(&self, name: &str) -> Result<Check, Status> {
        let request = GetCheckRequest {
            name: name.to_owned(),
        };
        Ok(self.doctor().get_check(request).await?.into_inner())
    }

    /// Everybody missing at or below a place today, page by page, as the city sees it.
    pub(crate) async fn missing(&self, scope: &str, slot: Slot) -> Vec<MissingCheck> {
        let mut city = self.client(&[Role::CityOfficer], CITY);
        let mut all = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = ListMissingRequest {
                scope: scope.to_owned(),
                slot: slot.into(),
                page_size: 2,
                page_token,
                ..ListMissingRequest::default()
            };
            let page = city
                .list_missing(request)
                .await
                .expect("a page")
                .into_inner();
            assert!(page.missing_checks.len() <= 2);
            all.extend(page.missing_checks);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return all;
            }
        }
    }

    pub(crate) async fn missing_scopes(&self, scope: &str, slot: Slot) -> Vec<String> {
        let missing = self.missing(scope, slot).await;
        missing.into_iter().map(|one| one.scope).collect()
    }

    /// Events about overdue checks that the feed's snapshot holds.
    pub(crate) async fn overdue_events(&self) -> Vec<SamplingEvent> {
        let mut feed = SamplingFeedClient::new(self.0.authorised(&[Role::Service], ""));
        let request = SamplingSnapshotRequest::default();
        let mut parts = feed
            .snapshot(request)
            .await
            .expect("a snapshot")
            .into_inner();
        let mut events = Vec::new();
        while let Some(part) = parts.message().await.expect("a part") {
            events.extend(part.events);
        }
        events.retain(|event| matches!(event.state, Some(EventState::ScreeningDay(_))));
        events
    }

    pub(crate) async fn overdue(&self) -> Vec<ScreeningDay> {
        let events = self.overdue_events().await.into_iter();
        let days = events.filter_map(|event| match event.state {
            Some(EventState::ScreeningDay(day)) => Some(day),
            _ => None,
        });
        days.collect()
    }

    /// Waits until the feed holds as many schools with overdue checks.
    pub(crate) async fn overdue_schools(&self, count: usize) -> Vec<ScreeningDay> {
        self.overdue_until(|days| days.len() == count).await
    }

    /// Waits until what the feed holds of overdue checks is as it should be.
    pub(crate) async fn overdue_until(
        &self,
        right: impl Fn(&[ScreeningDay]) -> bool,
    ) -> Vec<ScreeningDay> {
        for _ in 0..600 {
            let days = self.overdue().await;
            if right(&days) {
                return days;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the feed never says so");
    }

    /// Today's counts of the first school, as the store keeps them.
    pub(crate) async fn tally(&self) -> sampling::domain::health::tally::DayTally {
        let db = kit::db::Database::connect(&self.0.database)
            .await
            .expect("the database");
        let place = school_path(SCHOOL);
        let days =
            sampling::store::health::days::of_day(db.read(), &place, self.0.today().into()).await;
        db.close().await;
        let mut days = days.expect("counts");
        days.pop().map(|(_, tally)| tally).unwrap_or_default()
    }

    /// What is said of people's health today in the first school.
    pub(crate) async fn signs(&self) -> Vec<sampling::domain::health::sign::Sign> {
        let db = kit::db::Database::connect(&self.0.database)
            .await
            .expect("the database");
        let (place, today) = (school_path(SCHOOL), self.0.today().into());
        let signs = sampling::store::health::signs::of_school(db.read(), &place, today, today);
        let signs = signs.await.expect("signs");
        db.close().await;
        signs
    }
}
