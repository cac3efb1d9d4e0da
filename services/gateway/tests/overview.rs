//! The overview as a caller sees it while services answer, refuse, stall or are away.

mod figures;

use std::time::Duration;

use figures::{
    ALERTS, CITY, CONCERNS, COVERAGE, DISTRICT, HEALTH, ORGANIZATION, RESUMPTION, SAFETY, Stand,
    TEACHING, Whim, nowhere, reason, section, value,
};
use kit::auth::Role;
use kit::status::Problem;
use proto::error::ErrorReason;
use proto::gateway::section::{Kind, State};
use proto::gateway::{GetOverviewRequest, ListOverviewsRequest, Measure, Overview};
use tokio::time::Instant;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

fn about(id: &str) -> GetOverviewRequest {
    GetOverviewRequest {
        name: format!("organizations/{id}/overview"),
        date: None,
    }
}

fn down() -> Status {
    Problem::new(ErrorReason::Unavailable).into()
}

fn states(overview: &Overview) -> Vec<State> {
    overview
        .sections
        .iter()
        .map(|section| section.state())
        .collect()
}

async fn refused(stand: &Stand, role: Role, at: &str, request: GetOverviewRequest) -> Status {
    let request = stand.signed("somebody", role, at, request);
    let answered = stand.client().get_overview(request).await;
    answered.expect_err("refused")
}

#[tokio::test]
async fn the_figures_of_all_services_stand_side_by_side() {
    let stand = Stand::open().await;
    let overview = stand.overview("officer").await;
    assert_eq!(states(&overview), [State::Current; 12]);
    assert_eq!(
        (&*overview.org_path, &*overview.display_name),
        (CITY, "榕城教育局")
    );
    assert_eq!(
        overview.date,
        Some(proto::Date {
            year: 2022,
            month: 4,
            day: 7
        })
    );
    let of = |kind, measure| value(section(&overview, kind), measure);
    assert_eq!(of(Kind::People, Measure::StudentsEnrolled), Some(1_200));
    assert_eq!(of(Kind::Sampling, Measure::PeopleCovered), Some(800));
    assert_eq!(of(Kind::Safety, Measure::Campuses), Some(4));
    assert_eq!(of(Kind::Resumption, Measure::ResumptionsReturned), Some(1));
    assert_eq!(of(Kind::Alerts, Measure::AlertsUnresolved), Some(3));
    assert_eq!(of(Kind::Concerns, Measure::ConcernsOpen), Some(8));
    assert_eq!(of(Kind::Tubes, Measure::TubesOpened), Some(40));
    assert_eq!(of(Kind::Gates, Measure::GateDecisions), Some(900));
    assert_eq!(of(Kind::Directives, Measure::DirectivesInForce), Some(2));
    assert_eq!(of(Kind::Teaching, Measure::ClassGroupsActive), Some(30));
    assert_eq!(of(Kind::Teaching, Measure::SchoolsInPerson), Some(2));
    let late = section(&overview, Kind::Concerns).figures.iter();
    let mut late = late.filter(|figure| figure.measure() == Measure::ConcernsLate);
    assert!(
        late.all(|figure| figure.hidden && figure.value.is_none()),
        "below k"
    );
}

#[tokio::test]
async fn a_service_that_refuses_takes_its_own_section_away_and_nothing_else() {
    let stand = Stand::open().await;
    let services = &stand.services;
    services.let_it(
        SAFETY,
        Whim::Refuse(Problem::new(ErrorReason::ScopeDenied).into()),
    );
    services.let_it(ALERTS, Whim::Refuse(down()));
    services.let_it(
        HEALTH,
        Whim::Refuse(Problem::new(ErrorReason::PolicyUnknown).into()),
    );
    let overview = stand.overview("officer").await;
    let expected = [
        State::Current,
        State::Current,
        State::Unknown,
        State::Unknown,
        State::NotPermitted,
        State::Current,
        State::Unavailable,
        State::Current,
        State::Current,
        State::NotPermitted,
        State::Current,
        State::Current,
    ];
    assert_eq!(states(&overview), expected);
    assert_eq!(section(&overview, Kind::Checks).reason, "POLICY_UNKNOWN");
    for kind in [Kind::Checks, Kind::Safety, Kind::Alerts] {
        let section = section(&overview, kind);
        assert!(
            section.figures.is_empty() && section.data_time.is_none(),
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn a_service_that_is_away_and_one_that_stalls_cost_one_deadline_together() {
    let stand = Stand::with(|config| {
        config.upstreams.notification = format!("http://{}", nowhere());
        config.overview.part_deadline = Duration::from_millis(700);
    })
    .await;
    stand.services.let_it(SAFETY, Whim::Stall);
    stand.services.let_it(RESUMPTION, Whim::Stall);
    let begun = Instant::now();
    let overview = stand.overview("officer").await;
    assert!(
        begun.elapsed() >= Duration::from_millis(700),
        "the slow ones had their time"
    );
    for kind in [Kind::Safety, Kind::Resumption, Kind::Alerts, Kind::Concerns] {
        assert_eq!(
            section(&overview, kind).state(),
            State::Unavailable,
            "{kind:?}"
        );
    }
    for kind in [Kind::People, Kind::Sampling, Kind::Checks, Kind::Health] {
        assert_eq!(section(&overview, kind).state(), State::Current, "{kind:?}");
    }
}

#[tokio::test]
async fn a_caller_in_a_hurry_gets_what_came_in_time_before_the_deadline() {
    let stand = Stand::with(|config| config.overview.part_deadline = Duration::from_secs(60)).await;
    stand.services.let_it(SAFETY, Whim::Stall);
    let mut request = stand.signed("officer", Role::CityOfficer, CITY, about(CITY));
    request.set_timeout(Duration::from_secs(10));
    let answered = stand.client().get_overview(request).await;
    let overview = answered.expect("before the deadline").into_inner();
    assert_eq!(section(&overview, Kind::Safety).state(), State::Unavailable);
    assert_eq!(section(&overview, Kind::People).state(), State::Current);
}

#[tokio::test]
async fn while_a_service_is_down_a_caller_sees_what_it_told_the_same_caller_last() {
    let stand = Stand::open().await;
    stand.overview("one").await;
    stand.services.let_it(SAFETY, Whim::Refuse(down()));
    stand.services.set_campuses(9);
    stand.clock.advance(chrono::Duration::minutes(1));
    let last = stand.overview("one").await;
    let safety = section(&last, Kind::Safety);
    assert_eq!(safety.state(), State::Unavailable);
    assert_eq!(value(safety, Measure::Campuses), Some(4));
    let people = section(&last, Kind::People).data_time.expect("a time");
    assert_eq!(
        people.seconds - safety.data_time.expect("a time").seconds,
        60
    );
    let other = stand.overview("other").await;
    let safety = section(&other, Kind::Safety);
    assert_eq!(safety.state(), State::Unavailable);
    assert!(
        safety.figures.is_empty(),
        "what one was told is nothing to another"
    );
}

#[tokio::test]
async fn the_same_subject_with_another_place_is_not_shown_what_it_was_told_before() {
    let stand = Stand::open().await;
    let ask = async |role, at| {
        let request = stand.signed("one", role, at, about(DISTRICT));
        let answered = stand.client().get_overview(request).await;
        answered.expect("an overview").into_inner()
    };
    let first = ask(Role::CityOfficer, CITY).await;
    assert_eq!(section(&first, Kind::Safety).state(), State::Current);
    stand.services.let_it(SAFETY, Whim::Refuse(down()));
    let moved = ask(Role::DistrictOfficer, "fz/350102").await;
    assert!(section(&moved, Kind::Safety).figures.is_empty());
}

#[tokio::test]
async fn what_a_service_refuses_is_forgotten_even_when_it_goes_down_later() {
    let stand = Stand::open().await;
    stand.overview("one").await;
    let services = &stand.services;
    services.let_it(
        SAFETY,
        Whim::Refuse(Problem::new(ErrorReason::ScopeDenied).into()),
    );
    let refused = stand.overview("one").await;
    assert_eq!(section(&refused, Kind::Safety).state(), State::NotPermitted);
    services.let_it(SAFETY, Whim::Refuse(down()));
    let later = stand.overview("one").await;
    assert_eq!(section(&later, Kind::Safety).state(), State::Unavailable);
    assert!(section(&later, Kind::Safety).figures.is_empty());
}

#[tokio::test]
async fn an_organisation_that_the_register_does_not_know_is_not_known_here() {
    let stand = Stand::open().await;
    let unknown = refused(&stand, Role::CityOfficer, CITY, about("nobody")).await;
    assert_eq!(
        (unknown.code(), &*reason(&unknown)),
        (Code::NotFound, "NOT_FOUND")
    );
    assert_eq!(stand.services.asked(SAFETY), Vec::<String>::new());
}

#[tokio::test]
async fn nobody_sees_the_overview_of_another_part_of_the_city() {
    let stand = Stand::open().await;
    for _ in 0..2 {
        let refused = refused(&stand, Role::DistrictOfficer, "fz/350103", about(DISTRICT)).await;
        assert_eq!(
            (refused.code(), &*reason(&refused)),
            (Code::PermissionDenied, "SCOPE_DENIED")
        );
        // Now that the gateway knows the place, it is still not shown.
        let request = stand.signed("officer", Role::CityOfficer, CITY, about(DISTRICT));
        stand
            .client()
            .get_overview(request)
            .await
            .expect("an overview");
    }
}

#[tokio::test]
async fn who_may_not_read_overviews_asks_no_service() {
    let stand = Stand::open().await;
    let refused = refused(&stand, Role::Guard, CITY, about(CITY)).await;
    assert_eq!(
        (refused.code(), &*reason(&refused)),
        (Code::PermissionDenied, "SCOPE_DENIED")
    );
    for method in [ORGANIZATION, COVERAGE, SAFETY, CONCERNS, TEACHING] {
        assert!(stand.services.asked(method).is_empty(), "{method}");
    }
}

#[tokio::test]
async fn a_partner_that_may_not_read_the_register_sees_what_the_services_show_it() {
    let stand = Stand::open().await;
    let request = stand.signed("headquarters", Role::PartnerSystem, CITY, about(CITY));
    let answered = stand.client().get_overview(request).await;
    let overview = answered.expect("an overview").into_inner();
    assert_eq!(section(&overview, Kind::Resumption).state(), State::Current);
    for kind in [Kind::Checks, Kind::Teaching] {
        assert_eq!(
            section(&overview, kind).state(),
            State::NotPermitted,
            "{kind:?}"
        );
    }
    assert!(stand.services.asked(ORGANIZATION).is_empty());
    let elsewhere = refused(&stand, Role::PartnerSystem, "fz/350103", about(CITY)).await;
    assert_eq!(elsewhere.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn without_the_register_the_services_decide_alone() {
    let stand = Stand::open().await;
    stand.services.let_it(ORGANIZATION, Whim::Refuse(down()));
    let overview = stand.overview("officer").await;
    assert_eq!(states(&overview), [State::Current; 12]);
    assert_eq!(overview.org_path, CITY, "as a service says");
    let elsewhere = refused(&stand, Role::DistrictOfficer, "fz/350103", about(DISTRICT)).await;
    assert_eq!(elsewhere.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn of_a_day_that_is_over_only_the_checks_are_kept_and_tomorrow_is_refused() {
    let stand = Stand::open().await;
    let on = |day| GetOverviewRequest {
        date: Some(proto::Date {
            year: 2022,
            month: 4,
            day,
        }),
        ..about(CITY)
    };
    let request = stand.signed("officer", Role::CityOfficer, CITY, on(6));
    let answered = stand.client().get_overview(request).await;
    let overview = answered.expect("an overview").into_inner();
    let kept = [Kind::Checks, Kind::Health];
    for section in &overview.sections {
        let expected = if kept.contains(&section.kind()) {
            State::Current
        } else {
            State::NotKept
        };
        assert_eq!(section.state(), expected, "{:?}", section.kind());
    }
    for method in [COVERAGE, TEACHING] {
        assert!(stand.services.asked(method).is_empty(), "{method}");
    }
    let tomorrow = refused(&stand, Role::CityOfficer, CITY, on(8)).await;
    assert_eq!(
        (tomorrow.code(), &*reason(&tomorrow)),
        (Code::InvalidArgument, "INVALID_FIELD")
    );
    let malformed = refused(&stand, Role::CityOfficer, CITY, on(32)).await;
    assert_eq!(malformed.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_name_of_another_form_is_refused() {
    let stand = Stand::open().await;
    for name in [
        "",
        "fz",
        "organizations/fz",
        "organizations//overview",
        "organizations/FZ/overview",
    ] {
        let request = GetOverviewRequest {
            name: name.to_owned(),
            date: None,
        };
        let refused = refused(&stand, Role::CityOfficer, CITY, request).await;
        assert_eq!(
            (refused.code(), &*reason(&refused)),
            (Code::InvalidArgument, "INVALID_FIELD"),
            "{name}"
        );
    }
}

fn below(page_size: i32, page_token: &str) -> ListOverviewsRequest {
    ListOverviewsRequest {
        parent: format!("organizations/{CITY}"),
        date: None,
        page_size,
        page_token: page_token.to_owned(),
    }
}

#[tokio::test]
async fn districts_are_listed_the_worst_first_page_by_page() {
    let stand = Stand::open().await;
    let page = async |size, token: &str| {
        let request = stand.signed("officer", Role::CityOfficer, CITY, below(size, token));
        let answered = stand.client().list_overviews(request).await;
        answered.expect("a page").into_inner()
    };
    let whole = page(0, "").await;
    let names: Vec<&str> = whole.overviews.iter().map(|one| &*one.name).collect();
    assert_eq!(
        names,
        [
            "organizations/350103/overview",
            "organizations/350102/overview"
        ]
    );
    assert_eq!(whole.next_page_token, "");
    let [worst, best] = &whole.overviews[..] else {
        panic!("two districts")
    };
    assert_eq!(
        (&*worst.org_path, &*worst.display_name),
        ("fz/350103", "350103区")
    );
    assert_eq!(
        states(worst),
        [State::Current; 11],
        "concerns are not listed"
    );
    let taught = |one| value(section(one, Kind::Teaching), Measure::SchoolsInPerson);
    assert_eq!((taught(best), taught(worst)), (Some(2), Some(2)));
    let alerts = |one| value(section(one, Kind::Alerts), Measure::AlertsUnresolved);
    assert_eq!((alerts(best), alerts(worst)), (Some(2), Some(0)));
    let first = page(1, "").await;
    assert_eq!(first.overviews.len(), 1);
    let second = page(1, &first.next_page_token).await;
    assert_eq!(second.next_page_token, "");
    let paged: Vec<_> = [first.overviews, second.overviews].concat();
    let name = |one: &Overview| one.name.clone();
    assert_eq!(paged.iter().map(name).collect::<Vec<_>>(), names);
}

#[tokio::test]
async fn a_list_is_marked_where_a_service_does_not_answer() {
    let stand = Stand::open().await;
    stand
        .services
        .let_it("ListHealthCoverage", Whim::Refuse(down()));
    stand.services.let_it(
        ALERTS,
        Whim::Refuse(Problem::new(ErrorReason::ScopeDenied).into()),
    );
    let request = stand.signed("officer", Role::CityOfficer, CITY, below(0, ""));
    let answered = stand.client().list_overviews(request).await;
    for one in answered.expect("a page").into_inner().overviews {
        assert_eq!(section(&one, Kind::Checks).state(), State::Unavailable);
        assert_eq!(section(&one, Kind::Alerts).state(), State::NotPermitted);
        assert_eq!(section(&one, Kind::Safety).state(), State::Current);
    }
    let token = stand.signed("officer", Role::CityOfficer, CITY, below(0, "nonsense"));
    let refused = stand
        .client()
        .list_overviews(token)
        .await
        .expect_err("refused");
    assert_eq!(reason(&refused), "INVALID_PAGE_TOKEN");
    let guard = stand.signed("guard", Role::Guard, CITY, below(0, ""));
    let refused = stand
        .client()
        .list_overviews(guard)
        .await
        .expect_err("refused");
    assert_eq!(refused.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn health_knows_the_overview_by_name() {
    let stand = Stand::open().await;
    let mut health = HealthClient::new(stand.channel.clone());
    let service = "campus.gateway.v1.OverviewService".to_owned();
    // The report is written right after the server begins to answer.
    let wait = async {
        loop {
            let request = HealthCheckRequest {
                service: service.clone(),
            };
            match health.check(request).await {
                Ok(answer) => return answer.into_inner().status(),
                Err(status) => assert_eq!(status.code(), Code::NotFound),
            }
        }
    };
    let status = tokio::time::timeout(Duration::from_secs(30), wait).await;
    assert_eq!(status.expect("known"), ServingStatus::Serving);
}
