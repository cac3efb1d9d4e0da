//! The city at a glance, across five processes: what the overview shows is what the services count.

use kit::auth::Role;
use kit::field::to_date;
use proto::gateway::figure::Breakdown;
use proto::gateway::overview_service_client::OverviewServiceClient;
use proto::gateway::section::{Kind, State};
use proto::gateway::{
    Figure, GetOverviewRequest, ListOverviewsRequest, Measure, Overview, Section,
    WatchOverviewRequest,
};
use proto::notification::ListAlertGroupsRequest;
use proto::notification::alert_service_client::AlertServiceClient;
use proto::roster::GetTeachingSummaryRequest;
use proto::roster::check_policy::Slot;
use proto::roster::class_group_service_client::ClassGroupServiceClient;
use proto::safety::GetSafetyFiguresRequest;
use proto::safety::safety_figures_service_client::SafetyFiguresServiceClient;
use proto::sampling::coverage_service_client::CoverageServiceClient;
use proto::sampling::plan_service_client::PlanServiceClient;
use proto::sampling::screening_service_client::ScreeningServiceClient;
use proto::sampling::{
    CheckSubmission, CorrectCheckRequest, GetCoverageRequest, GetHealthCoverageRequest,
};
use tests::city::{City, Store};
use tests::town::{CITY, Town, school_path};
use tests::{until, within};
use tonic::Code;

use crate::checks::{reporter, submit, zero};
use crate::verbs::{create_plan, draw_city, request_id, told};

const SCHOOLS: u32 = 2;

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_shows_what_the_services_count_sqlite() {
    shows_what_the_services_count(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_shows_what_the_services_count_postgres() {
    shows_what_the_services_count(Store::Postgres).await;
}

async fn shows_what_the_services_count(store: Store) {
    let Some(city) = City::open(store, Town::of(SCHOOLS)).await else {
        return;
    };
    let officer = city.door(Role::CityOfficer, CITY);
    let mut plans = PlanServiceClient::new(officer.clone());
    let planned = plans.create_plan(create_plan("daily", "")).await;
    planned.expect("a plan is made");
    draw_city(officer, "daily")
        .await
        .expect("the city is drawn");
    let check = zero(&city.town, 1, 1, Slot::Morning);
    let submitted = submit(&reporter(&city, 1, 1), &check)
        .await
        .expect("submitted");
    let city = &city;
    until(
        "the overview shows what the services count",
        || async move {
            let overview = overview(city).await;
            agrees(city, &overview).await.then_some(())
        },
    )
    .await;
    districts_come_one_by_one(city).await;
    a_school_sees_itself_and_no_other(city).await;
    a_stream_begins_with_the_whole(city).await;
    let check = submitted.check.expect("a check").name;
    a_correction_stands_beside_its_figure(city, &check).await;
}

async fn overview(city: &City) -> Overview {
    let request = GetOverviewRequest {
        name: format!("organizations/{CITY}/overview"),
        date: Some(to_date(city.town.today)),
    };
    let mut client = OverviewServiceClient::new(city.door(Role::CityOfficer, CITY));
    client
        .get_overview(request)
        .await
        .expect("an overview")
        .into_inner()
}

fn value(overview: &Overview, kind: Kind, measure: Measure) -> Option<i64> {
    let mut sections = overview.sections.iter();
    let section = sections.find(|section| section.kind() == kind)?;
    assert_eq!(section.state(), State::Current, "{kind:?}");
    let of = |figure: &&Figure| figure.measure() == measure;
    section
        .figures
        .iter()
        .find(of)
        .and_then(|figure| figure.value)
}

async fn agrees(city: &City, overview: &Overview) -> bool {
    let door = || city.door(Role::CityOfficer, CITY);
    let scope = format!("organizations/{CITY}");
    let mut sampling = CoverageServiceClient::new(door());
    let asked = GetCoverageRequest {
        scope: scope.clone(),
    };
    let coverage = sampling
        .get_coverage(asked)
        .await
        .expect("told")
        .into_inner();
    let asked = GetHealthCoverageRequest {
        scope: scope.clone(),
        check_date: Some(to_date(city.town.today)),
    };
    let health = sampling
        .get_health_coverage(asked)
        .await
        .expect("told")
        .into_inner();
    let asked = GetSafetyFiguresRequest {
        name: format!("{scope}/safetyFigures"),
    };
    let mut safety = SafetyFiguresServiceClient::new(door());
    let safety = safety
        .get_safety_figures(asked)
        .await
        .expect("told")
        .into_inner();
    let asked = GetTeachingSummaryRequest {
        name: format!("{scope}/teachingSummary"),
    };
    let mut register = ClassGroupServiceClient::new(door());
    let taught = register
        .get_teaching_summary(asked)
        .await
        .expect("told")
        .into_inner();
    let asked = ListAlertGroupsRequest {
        parent: scope,
        page_size: 1000,
        page_token: String::new(),
    };
    let mut alerts = AlertServiceClient::new(door());
    let groups = alerts
        .list_alert_groups(asked)
        .await
        .expect("told")
        .into_inner()
        .groups;
    let morning = health.checks.first().expect("a check a day");
    let expected = [
        (
            Kind::People,
            Measure::StudentsEnrolled,
            coverage.enrolled_count,
        ),
        (
            Kind::Sampling,
            Measure::SchoolsDrawn,
            coverage.drawn_school_count.into(),
        ),
        (
            Kind::Sampling,
            Measure::PeopleEligible,
            coverage.eligible_count,
        ),
        (
            Kind::Checks,
            Measure::ChecksSubmitted,
            morning.answered_count.into(),
        ),
        (
            Kind::Checks,
            Measure::ChecksMissing,
            morning.missing_count.into(),
        ),
        (
            Kind::Teaching,
            Measure::ClassGroupsActive,
            taught.class_group_count.into(),
        ),
        (
            Kind::Teaching,
            Measure::SchoolsInPerson,
            taught.in_person_school_count.into(),
        ),
        (Kind::Safety, Measure::Campuses, safety.campus_count.into()),
        (
            Kind::Safety,
            Measure::CampusesSilent,
            safety.silent_campus_count.into(),
        ),
        (
            Kind::Alerts,
            Measure::AlertsUnresolved,
            groups
                .iter()
                .map(|group| i64::from(group.alert_count))
                .sum(),
        ),
    ];
    taught.school_count == SCHOOLS as i32
        && coverage.drawn_school_count == SCHOOLS as i32
        && morning.answered_count == 1
        && expected
            .iter()
            .all(|(kind, measure, count)| value(overview, *kind, *measure) == Some(*count))
}

async fn districts_come_one_by_one(city: &City) {
    let mut client = OverviewServiceClient::new(city.door(Role::CityOfficer, CITY));
    let request = ListOverviewsRequest {
        parent: format!("organizations/{CITY}"),
        ..ListOverviewsRequest::default()
    };
    let listed = client
        .list_overviews(request)
        .await
        .expect("listed")
        .into_inner();
    let enrolled = listed.overviews.iter();
    let enrolled = enrolled.filter_map(|one| value(one, Kind::People, Measure::StudentsEnrolled));
    let whole = value(
        &overview(city).await,
        Kind::People,
        Measure::StudentsEnrolled,
    );
    assert_eq!(Some(enrolled.sum()), whole, "the parts make the whole");
}

async fn a_school_sees_itself_and_no_other(city: &City) {
    let mut client = OverviewServiceClient::new(city.door(Role::Principal, &school_path(1)));
    let mut ask = async |number| {
        let name = format!("organizations/{}/overview", tests::town::school(number));
        client
            .get_overview(GetOverviewRequest { name, date: None })
            .await
    };
    let own = ask(1).await.expect("an overview").into_inner();
    assert_eq!(own.org_path, school_path(1));
    let refused = ask(2).await.expect_err("refused");
    assert_eq!(
        told(&refused),
        (Code::PermissionDenied, "SCOPE_DENIED".to_owned())
    );
}

async fn a_stream_begins_with_the_whole(city: &City) {
    let mut client = OverviewServiceClient::new(city.door(Role::CityOfficer, CITY));
    let request = WatchOverviewRequest {
        name: format!("organizations/{CITY}/overview"),
        date: None,
    };
    let mut answers = client
        .watch_overview(request)
        .await
        .expect("a stream")
        .into_inner();
    let first = answers
        .message()
        .await
        .expect("an answer")
        .expect("the whole");
    assert_eq!(
        first.overview.map(|overview| overview.sections.len()),
        Some(12)
    );
}

/// How many checks of the morning were corrected, as an overview says beside those submitted, and when.
fn corrected(sections: &[Section]) -> Option<(i64, bool)> {
    let checks = sections
        .iter()
        .find(|section| section.kind() == Kind::Checks)?;
    let morning = Some(Breakdown::Slot(Slot::Morning.into()));
    let mut figures = checks.figures.iter();
    let submitted = figures
        .find(|one| one.measure() == Measure::ChecksSubmitted && one.breakdown == morning)?;
    Some((
        submitted.corrected_count?,
        submitted.last_correct_time.is_some(),
    ))
}

async fn a_correction_stands_beside_its_figure(city: &City, check: &str) {
    let mut client = OverviewServiceClient::new(city.door(Role::CityOfficer, CITY));
    let request = WatchOverviewRequest {
        name: format!("organizations/{CITY}/overview"),
        date: Some(to_date(city.town.today)),
    };
    let watched = client.watch_overview(request).await;
    let mut answers = watched.expect("a stream").into_inner();
    let first = answers.message().await.expect("an answer");
    let first = first.and_then(|first| first.overview).expect("the whole");
    assert_eq!(corrected(&first.sections), Some((0, false)));
    let everybody = city.town.students as i32;
    let right = CheckSubmission {
        roll_count: everybody,
        present_count: everybody - 1,
        absent_count: 1,
        client_id: request_id(),
        ..CheckSubmission::default()
    };
    let request = CorrectCheckRequest {
        name: check.to_owned(),
        check: Some(right),
        correction_reason: "点名有误".to_owned(),
    };
    let doctor = city.door(Role::SchoolDoctor, &school_path(1));
    let told = ScreeningServiceClient::new(doctor)
        .correct_check(request)
        .await;
    told.expect("corrected");
    let heard = async {
        loop {
            let answer = answers.message().await.expect("an answer");
            let answer = answer.expect("the stream goes on");
            if let Some((1, true)) = corrected(&answer.sections) {
                return;
            }
        }
    };
    within("the stream tells the correction", heard).await;
    let now = overview(city).await;
    assert_eq!(corrected(&now.sections), Some((1, true)));
}
