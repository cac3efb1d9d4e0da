//! Two schools whose checks are counted, and whoever asks for the figures.

use std::time::Duration;

use kit::auth::Role;
use kit::scratch::Scratch;
use proto::privacy::PrivateCount;
use proto::roster::Symptom;
use proto::roster::check_policy::Slot;
use proto::sampling::coverage_service_client::CoverageServiceClient;
use proto::sampling::reporting_signal_service_client::ReportingSignalServiceClient;
use proto::sampling::screening_service_client::ScreeningServiceClient;
use proto::sampling::{
    CheckCoverage, CheckFinding, CheckReading, CheckSubmission, ClassSymptoms, CorrectCheckRequest,
    GetHealthCoverageRequest, HealthCoverage, ListClassSymptomsRequest, ListHealthCoverageRequest,
    ListReportingSignalsRequest, ReportingSignal, SubmitCheckRequest,
};
use tonic::Status;

use super::town::{
    Authorised, CITY, DISTRICT, OTHER_SCHOOL, Roster, SCHOOL, Town, class, school_path,
};

pub(crate) const FIRST: &str = "p2019-01";
pub(crate) const SECOND: &str = "p2019-02";

/// Somebody who asks.
pub(crate) type Asker<'a> = (Role, &'a str);

/// A school of two class groups, with the students 0 to 44 and 100 to 139, and one of one.
pub(crate) struct Counted(pub(crate) Town);

pub(crate) fn group(school: &str, id: &str) -> String {
    format!("organizations/{school}/classGroups/{id}")
}

pub(crate) fn district() -> String {
    format!("{CITY}/{DISTRICT}")
}

/// Somebody with symptoms.
pub(crate) fn ill(person: String, symptoms: &[Symptom]) -> CheckFinding {
    CheckFinding {
        person,
        symptoms: symptoms.iter().copied().map(i32::from).collect(),
        ..CheckFinding::default()
    }
}

/// A count that is told.
pub(crate) fn shown(count: i32) -> PrivateCount {
    PrivateCount {
        count: Some(count),
        hidden: false,
    }
}

/// A count that is not told.
pub(crate) fn hidden() -> PrivateCount {
    PrivateCount {
        count: None,
        hidden: true,
    }
}

/// These temperatures of the students from `first` on.
pub(crate) fn readings(first: u32, tenths: &[i32]) -> Vec<CheckReading> {
    let numbered = (first..).zip(tenths);
    numbered
        .map(|(number, tenths)| CheckReading {
            person: super::town::student(number),
            temperature_tenths: *tenths,
        })
        .collect()
}

/// One check of the day among the figures.
pub(crate) fn slot(coverage: &HealthCoverage, slot: Slot) -> CheckCoverage {
    let mut checks = coverage.checks.iter();
    let found = checks.find(|check| check.slot() == slot);
    found.cloned().expect("the policy holds it")
}

impl Counted {
    pub(crate) async fn open(database: Scratch) -> Self {
        let roster = Roster::town();
        roster.class(class(SCHOOL, FIRST, 0, 45));
        roster.class(class(SCHOOL, SECOND, 100, 40));
        roster.class(class(OTHER_SCHOOL, FIRST, 200, 30));
        Self(Town::start(database, roster).await)
    }

    pub(crate) fn minutes(&self, count: i64) {
        self.0.clock.advance(chrono::Duration::minutes(count));
    }

    /// A zero report of today.
    pub(crate) fn zero(&self, scope: &str, slot: Slot) -> CheckSubmission {
        CheckSubmission {
            scope: scope.to_owned(),
            check_date: Some(self.0.date()),
            slot: slot.into(),
            roll_count: 30,
            present_count: 30,
            client_id: uuid::Uuid::new_v4().to_string(),
            ..CheckSubmission::default()
        }
    }

    pub(crate) async fn submit(&self, check: CheckSubmission) {
        let school = check.scope.split('/').nth(1).expect("a school").to_owned();
        let door = self
            .0
            .authorised(&[Role::EpidemicReporter], &school_path(&school));
        let request = SubmitCheckRequest { check: Some(check) };
        let answer = ScreeningServiceClient::new(door)
            .submit_check(request)
            .await;
        answer.expect("submitted");
    }

    /// Corrects the check of this morning of a class group of the first school: so many are present, and those
    /// who are not are absent.
    pub(crate) async fn correct(&self, id: &str, present: i32) {
        let check = CheckSubmission {
            present_count: present,
            absent_count: 30 - present,
            ..self.zero("", Slot::Morning)
        };
        let day = self.0.today().format("%Y%m%d");
        let request = CorrectCheckRequest {
            name: format!("{}/checks/{day}-morning", group(SCHOOL, id)),
            check: Some(check),
            correction_reason: "点名有误".to_owned(),
        };
        let door = self
            .0
            .authorised(&[Role::SchoolDoctor], &school_path(SCHOOL));
        let answer = ScreeningServiceClient::new(door)
            .correct_check(request)
            .await;
        answer.expect("corrected");
    }

    pub(crate) fn coverage(&self, (role, scope): Asker<'_>) -> CoverageServiceClient<Authorised> {
        CoverageServiceClient::new(self.0.authorised(&[role], scope))
    }

    pub(crate) async fn figures(
        &self,
        asker: Asker<'_>,
        organization: &str,
    ) -> Result<HealthCoverage, Status> {
        let request = GetHealthCoverageRequest {
            scope: format!("organizations/{organization}"),
            check_date: None,
        };
        let answer = self.coverage(asker).get_health_coverage(request).await?;
        Ok(answer.into_inner())
    }

    /// The places below the district, page by page.
    pub(crate) async fn places(&self, order_by: &str) -> Vec<HealthCoverage> {
        let district = district();
        let mut client = self.coverage((Role::DistrictOfficer, &district));
        let mut all = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = ListHealthCoverageRequest {
                parent: format!("organizations/{DISTRICT}"),
                order_by: order_by.to_owned(),
                page_size: 1,
                page_token,
                ..ListHealthCoverageRequest::default()
            };
            let page = client.list_health_coverage(request).await.expect("a page");
            let page = page.into_inner();
            assert!(page.health_coverages.len() <= 1);
            all.extend(page.health_coverages);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return all;
            }
        }
    }

    /// The class groups of the first school, page by page.
    pub(crate) async fn classes(&self, role: Role) -> Vec<ClassSymptoms> {
        let place = school_path(SCHOOL);
        let mut client = self.coverage((role, &place));
        let mut all = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = ListClassSymptomsRequest {
                school: format!("organizations/{SCHOOL}"),
                page_size: 1,
                page_token,
                ..ListClassSymptomsRequest::default()
            };
            let page = client.list_class_symptoms(request).await.expect("a page");
            let page = page.into_inner();
            assert!(page.class_symptoms.len() <= 1);
            all.extend(page.class_symptoms);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return all;
            }
        }
    }

    pub(crate) fn signals(
        &self,
        (role, scope): Asker<'_>,
    ) -> ReportingSignalServiceClient<Authorised> {
        ReportingSignalServiceClient::new(self.0.authorised(&[role], scope))
    }

    /// The signals of an organisation that somebody sees.
    pub(crate) async fn seen(&self, asker: Asker<'_>, organization: &str) -> Vec<ReportingSignal> {
        let request = ListReportingSignalsRequest {
            organization: format!("organizations/{organization}"),
            ..ListReportingSignalsRequest::default()
        };
        let answer = self.signals(asker).list_reporting_signals(request).await;
        answer.expect("a page").into_inner().reporting_signals
    }

    /// Waits until the first school sees as many signals.
    pub(crate) async fn own_signals(&self, count: usize) -> Vec<ReportingSignal> {
        let place = school_path(SCHOOL);
        for _ in 0..600 {
            let seen = self.seen((Role::Principal, &place), SCHOOL).await;
            if seen.len() >= count {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("never {count} signals");
    }
}
