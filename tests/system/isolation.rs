//! A service goes on working while its neighbours are down.

use kit::auth::Role;
use proto::safety::gate_decision::Result as Outcome;
use proto::safety::gate_service_client::GateServiceClient;
use proto::sampling::plan_service_client::PlanServiceClient;
use tests::city::{City, Store};
use tests::register::{CITY, CLASSES, school_path, student};
use tests::within;
use tonic::Code;

use crate::verbs::{check_entry, create_plan, draw_city, told};

async fn neighbours_down(store: Store) {
    let Some(mut city) = City::open(store, 3).await else {
        return;
    };
    city.register.close();
    // Not even a new process needs the register to answer again.
    city.kill("sampling").await;
    city.start_again("sampling").await;

    let officer = city.door(Role::CityOfficer, CITY);
    let mut plans = PlanServiceClient::new(officer.clone());
    plans
        .create_plan(create_plan("daily", ""))
        .await
        .expect("plans are kept without the register");
    let drawn = draw_city(officer.clone(), "daily")
        .await
        .expect("draws without the register");
    assert_eq!((drawn.school_count, drawn.drawn_school_count), (3, 3));
    assert_eq!(drawn.class_group_count, 3 * CLASSES as i32);

    city.kill("sampling").await;
    let gone = draw_city(officer.clone(), "daily");
    let refused = within("the gateway tells that sampling is down", gone)
        .await
        .expect_err("sampling is down");
    assert_eq!(
        told(&refused),
        (Code::Unavailable, "UNAVAILABLE".to_owned())
    );

    let mut gate = GateServiceClient::new(city.door(Role::Guard, &school_path(1)));
    let known = gate
        .check_entry(check_entry(1, &student(1, 1, 1), ""))
        .await;
    let known = known
        .expect("decides with roster and sampling gone")
        .into_inner();
    assert_eq!(known.effective_result(), Outcome::Admit, "{known:?}");
    let stranger = gate
        .check_entry(check_entry(1, &student(2, 1, 1), ""))
        .await;
    let stranger = stranger
        .expect("decides about a stranger, too")
        .into_inner();
    assert_eq!(stranger.effective_result(), Outcome::Deny);
    assert!(!stranger.reasons.is_empty() && stranger.reasons[0].rule.starts_with('3'));

    // A gate process that was killed decides from its own database, still with nobody above it.
    city.kill("safety-inspection").await;
    city.start_again("safety-inspection").await;
    let again = gate
        .check_entry(check_entry(1, &student(1, 1, 1), ""))
        .await;
    let again = again.expect("decides after a restart").into_inner();
    assert_eq!(again.effective_result(), Outcome::Admit);

    city.start_again("sampling").await;
    let drawn = draw_city(officer, "daily").await.expect("sampling is back");
    assert_eq!(
        (drawn.drawn_school_count, drawn.class_group_count),
        (3, 0),
        "drawn once only"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn gates_decide_and_draws_are_made_while_neighbours_are_down_sqlite() {
    neighbours_down(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gates_decide_and_draws_are_made_while_neighbours_are_down_postgres() {
    neighbours_down(Store::Postgres).await;
}
