//! A school day as those who work in it see it, through the gateway.

use kit::auth::Role;
use proto::sampling::coverage_service_client::CoverageServiceClient;
use proto::sampling::draw_service_client::DrawServiceClient;
use proto::sampling::plan_service_client::PlanServiceClient;
use proto::sampling::{
    CloseDayRequest, ExportDrawRequest, GetCoverageRequest, ListAssignmentsRequest,
    ListDrawsRequest, ReplaceAssignmentRequest, VerifyDrawRequest, draw,
};
use tests::city::{City, Store};
use tests::register::{CITY, CLASSES, STUDENTS, school_path};

use crate::verbs::{create_plan, draw_city};

const SCHOOLS: u32 = 3;

async fn drawn_replaced_closed_and_verified(store: Store) {
    let Some(city) = City::open(store, SCHOOLS).await else {
        return;
    };
    let officer = city.door(Role::CityOfficer, CITY);
    let mut plans = PlanServiceClient::new(officer.clone());
    plans
        .create_plan(create_plan("daily", ""))
        .await
        .expect("a plan is made");

    let drawn = draw_city(officer.clone(), "daily")
        .await
        .expect("the city is drawn");
    let quota = STUDENTS.div_ceil(5);
    let everybody = (SCHOOLS * CLASSES * quota) as i32;
    assert_eq!(
        (drawn.drawn_school_count, drawn.pick_count),
        (SCHOOLS as i32, everybody)
    );

    // The school sees its own draw and nobody else's.
    let reporter = city.door(Role::EpidemicReporter, &school_path(1));
    let mut at_school = DrawServiceClient::new(reporter);
    let list = |organization: &str| ListDrawsRequest {
        organization: format!("organizations/{organization}"),
        ..ListDrawsRequest::default()
    };
    let mine = at_school
        .list_draws(list(&tests::register::school(1)))
        .await
        .expect("its own");
    let mine = mine.into_inner().draws;
    assert_eq!(mine.len(), 1);
    assert_eq!(
        (mine[0].pick_count, mine[0].state()),
        (everybody / 3, draw::State::Frozen)
    );
    assert!(
        mine[0].seed.is_empty(),
        "the seed is secret until the day closes"
    );
    at_school
        .list_draws(list(&tests::register::school(2)))
        .await
        .expect_err("not its own");

    let request = ListAssignmentsRequest {
        draw: mine[0].name.clone(),
        ..Default::default()
    };
    let called = at_school
        .list_assignments(request)
        .await
        .expect("assignments")
        .into_inner();
    assert_eq!(called.assignments.len(), (CLASSES * quota) as usize);
    let absent = called.assignments[0].person.clone();
    let request = ReplaceAssignmentRequest {
        draw: mine[0].name.clone(),
        absent: absent.clone(),
        request_id: uuid::Uuid::new_v4().to_string(),
    };
    let replaced = at_school
        .replace_assignment(request.clone())
        .await
        .expect("is replaced");
    let again = at_school
        .replace_assignment(request)
        .await
        .expect("is answered again");
    assert_eq!(replaced.into_inner(), again.into_inner());

    let mut draws = DrawServiceClient::new(officer.clone());
    let all = draws
        .list_draws(list(CITY))
        .await
        .expect("every draw")
        .into_inner()
        .draws;
    assert_eq!(all.len(), SCHOOLS as usize);
    for one in all {
        let request = CloseDayRequest {
            name: one.name.clone(),
            request_id: String::new(),
        };
        let closed = draws.close_day(request).await.expect("closes").into_inner();
        assert_eq!(
            (closed.state(), closed.seed.len()),
            (draw::State::Closed, 32)
        );
        let request = VerifyDrawRequest { name: one.name };
        let verdict = draws
            .verify_draw(request)
            .await
            .expect("verifies")
            .into_inner();
        assert!(verdict.valid, "{}", verdict.finding);
    }

    let request = ExportDrawRequest {
        plan: "plans/daily".to_owned(),
        organization: format!("organizations/{CITY}"),
        draw_date: mine[0].draw_date,
    };
    let mut file = draws
        .export_draw(request)
        .await
        .expect("is published")
        .into_inner();
    let mut bytes = 0;
    while let Some(part) = file.message().await.expect("the whole file") {
        bytes += part.content.len();
    }
    assert!(
        bytes > (SCHOOLS * CLASSES * STUDENTS) as usize * 16,
        "everybody who could be drawn"
    );

    let request = GetCoverageRequest {
        scope: format!("organizations/{CITY}"),
    };
    let mut coverage = CoverageServiceClient::new(officer);
    let coverage = coverage
        .get_coverage(request)
        .await
        .expect("coverage")
        .into_inner();
    let eligible = i64::from(SCHOOLS * CLASSES * STUDENTS);
    assert_eq!(
        (coverage.eligible_count, coverage.school_count),
        (eligible, SCHOOLS as i32)
    );
    assert_eq!(coverage.covered_count, 0, "called is not swabbed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_drawn_replaced_closed_and_verified_sqlite() {
    drawn_replaced_closed_and_verified(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_drawn_replaced_closed_and_verified_postgres() {
    drawn_replaced_closed_and_verified(Store::Postgres).await;
}
