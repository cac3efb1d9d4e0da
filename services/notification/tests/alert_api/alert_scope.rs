//! Who sees which alerts, page by page, and what malformed requests are told.

use crate::town::on_both;
use kit::auth::Role;
use kit::scratch::Scratch;
use proto::notification as pb;
use proto::notification::alert::State;
use tonic::{Code, Status};

use crate::town::doctors::{Act, held};
use crate::town::world::{World, by, reason, told};
use crate::town::{
    BUREAU, BUREAU_PATH, CITY, OTHER, OTHER_PATH, SCHOOL, SCHOOL_PATH, SISTER_PATH, placed,
    released, sampling,
};

on_both!(
    nobody_sees_or_moves_the_alerts_of_another_place,
    alerts_are_listed_page_by_page,
    malformed_requests_are_explained,
);

/// Golden test T24 for alerts.
async fn nobody_sees_or_moves_the_alerts_of_another_place(scratch: Scratch) {
    let mut world = held(scratch).await;
    let elsewhere = placed(OTHER_PATH, "T2", 1);
    sampling(&world.db, &world.clock, &[elsewhere], 1).await;
    let name = world.the_alert().await.name;
    let denied = |status: Status| {
        let (code, reason, zh) = told(&status);
        assert_eq!((code, &*reason), (Code::PermissionDenied, "SCOPE_DENIED"));
        assert_eq!(zh, "您无权在此范围内进行该操作");
    };
    for scope in [SISTER_PATH, OTHER_PATH, "fz/350103"] {
        denied(
            world
                .list(Role::Principal, scope, SCHOOL)
                .await
                .expect_err("list"),
        );
        let get = pb::GetAlertRequest { name: name.clone() };
        let get = by("reader-1", Role::Principal, scope, get);
        denied(world.alerts.get_alert(get).await.expect_err("get"));
        for act in [Act::Acknowledge, Act::Take, Act::Resolve] {
            denied(world.act(act, &name, scope).await.expect_err("act"));
        }
        let watch = pb::WatchAlertsRequest {
            parent: SCHOOL.to_owned(),
            ..Default::default()
        };
        let watch = by("reader-1", Role::Principal, scope, watch);
        denied(world.alerts.watch_alerts(watch).await.expect_err("watch"));
    }
    // The id of another school's alert below one's own name is nothing.
    let id = name.rsplit('/').next().expect("an id");
    let get = pb::GetAlertRequest {
        name: format!("{OTHER}/alerts/{id}"),
    };
    let get = by("reader-1", Role::Principal, OTHER_PATH, get);
    let status = world.alerts.get_alert(get).await.expect_err("not its own");
    assert_eq!(reason(&status), "NOT_FOUND");
    // Whom it does not concern, whatever the place.
    for role in [Role::Guard, Role::Laboratory, Role::ClassReporter] {
        denied(
            world
                .list(role, SCHOOL_PATH, SCHOOL)
                .await
                .expect_err("role"),
        );
    }
    // What does not exist looks the same from below.
    denied(
        world
            .list(Role::Principal, SCHOOL_PATH, "organizations/nowhere")
            .await
            .expect_err("no"),
    );
    let bases = async |world: &mut World, scope: &str, parent: &str| {
        let alerts = world
            .list(Role::CityOfficer, scope, parent)
            .await
            .expect("listed");
        alerts
            .into_iter()
            .map(|alert| alert.basis)
            .collect::<Vec<_>>()
    };
    assert_eq!(bases(&mut world, BUREAU_PATH, BUREAU).await, ["holds/T1"]);
    assert_eq!(
        bases(&mut world, "fz", CITY).await,
        ["holds/T2", "holds/T1"]
    );
}

async fn alerts_are_listed_page_by_page(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    for number in 1..=3 {
        let event = placed(SCHOOL_PATH, &format!("T{number}"), 1);
        sampling(&world.db, &world.clock, &[event], 1).await;
    }
    sampling(
        &world.db,
        &world.clock,
        &[released(SCHOOL_PATH, "T2", 2)],
        1,
    )
    .await;
    let mut ask = pb::ListAlertsRequest {
        parent: SCHOOL.to_owned(),
        page_size: 2,
        ..Default::default()
    };
    let mut list = async |ask: &pb::ListAlertsRequest| {
        let ask = by("reader-1", Role::Principal, SCHOOL_PATH, ask.clone());
        let listed = world
            .alerts
            .list_alerts(ask)
            .await
            .map(tonic::Response::into_inner);
        listed.map(|page| {
            let bases = page.alerts.into_iter().map(|alert| alert.basis);
            (bases.collect::<Vec<_>>(), page.next_page_token)
        })
    };
    let (bases, token) = list(&ask).await.expect("listed");
    assert_eq!(bases, ["holds/T3", "holds/T2"]);
    ask.page_token = token;
    assert_eq!(
        list(&ask).await.expect("listed"),
        (vec!["holds/T1".to_owned()], String::new())
    );
    ask.state = State::Open.into();
    assert_eq!(
        reason(&list(&ask).await.expect_err("another list")),
        "INVALID_PAGE_TOKEN"
    );
    ask.page_token.clear();
    let (bases, token) = list(&ask).await.expect("listed");
    assert_eq!(
        (bases, &*token),
        (vec!["holds/T3".to_owned(), "holds/T1".to_owned()], "")
    );
}

async fn malformed_requests_are_explained(scratch: Scratch) {
    let mut world = held(scratch).await;
    for name in [
        "",
        "alerts/1",
        "organizations/1/alerts/x",
        "organizations/福州/alerts/1",
    ] {
        let status = world
            .act(Act::Take, name, SCHOOL_PATH)
            .await
            .expect_err("malformed");
        assert_eq!(told(&status).0, Code::InvalidArgument, "{name}");
    }
    let name = world.the_alert().await.name;
    let mut acknowledge = async |comment: &str, request_id: &str| {
        let ask = pb::AcknowledgeAlertRequest {
            name: name.clone(),
            comment: comment.to_owned(),
            request_id: request_id.to_owned(),
        };
        let ask = by("doctor-1", Role::SchoolDoctor, SCHOOL_PATH, ask);
        let status = world
            .alerts
            .acknowledge_alert(ask)
            .await
            .expect_err("malformed");
        reason(&status)
    };
    assert_eq!(acknowledge(&"长".repeat(501), "").await, "INVALID_FIELD");
    assert_eq!(acknowledge("", "1").await, "INVALID_FIELD");
    let ask = pb::ResolveAlertRequest {
        name,
        ..Default::default()
    };
    let ask = by("doctor-1", Role::SchoolDoctor, SCHOOL_PATH, ask);
    let status = world
        .alerts
        .resolve_alert(ask)
        .await
        .expect_err("without a word");
    assert_eq!(reason(&status), "INVALID_FIELD");
}
