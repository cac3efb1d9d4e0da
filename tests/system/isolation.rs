//! A service goes on working while its neighbours are down.

use kit::auth::Role;
use proto::notification::directive::Urgency;
use proto::notification::directive_service_client::DirectiveServiceClient;
use proto::notification::{
    ApproveDirectiveRequest, Audience, Directive, DraftDirectiveRequest, IssueDirectiveRequest,
    ListRecipientsRequest,
};
use proto::roster::check_policy::Slot;
use proto::safety::gate_decision::Result as Outcome;
use proto::safety::gate_service_client::GateServiceClient;
use proto::sampling::ListClustersRequest;
use proto::sampling::cluster_service_client::ClusterServiceClient;
use proto::sampling::plan_service_client::PlanServiceClient;
use proto::sampling::submit_check_response::Verdict;
use tests::city::{City, Store};
use tests::town::{CITY, CLASSES, DISTRICT, Town, school, school_path};
use tests::{students_of_schools, until, within};
use tonic::Code;

use crate::checks::{reporter, submit, three_fevers};
use crate::verbs::{check_entry, create_plan, draw_city, enter, told};

async fn neighbours_down(store: Store) {
    let Some(city) = City::open(store, Town::of(3)).await else {
        return;
    };
    city.kill("roster").await;
    // Not even a new process needs roster to answer again.
    city.kill("sampling").await;
    city.start_again("sampling").await;
    city.ready("sampling").await;
    the_register_is_silent(&city).await;

    let officer = city.door(Role::CityOfficer, CITY);
    let mut plans = PlanServiceClient::new(officer.clone());
    plans
        .create_plan(create_plan("daily", ""))
        .await
        .expect("plans are kept without roster");
    let drawn = draw_city(officer.clone(), "daily")
        .await
        .expect("draws without roster");
    assert_eq!((drawn.school_count, drawn.drawn_school_count), (3, 3));
    assert_eq!(drawn.class_group_count, 3 * CLASSES as i32);
    classes_report(&city).await;

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
        .check_entry(check_entry(1, city.student(1, 1, 1), ""))
        .await;
    let known = known
        .expect("decides with roster and sampling gone")
        .into_inner();
    assert_eq!(known.effective_result(), Outcome::Admit, "{known:?}");
    let stranger = gate
        .check_entry(check_entry(1, city.student(2, 1, 1), ""))
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
        .check_entry(check_entry(1, city.student(1, 1, 1), ""))
        .await;
    let again = again.expect("decides after a restart").into_inner();
    assert_eq!(again.effective_result(), Outcome::Admit);
    let ill = enter(&city, 3, city.student(3, 1, 1)).await;
    assert_eq!(
        ill.effective_result(),
        Outcome::Deny,
        "who is ill stays out"
    );

    directives_are_written(&city).await;

    city.start_again("sampling").await;
    let drawn = draw_city(officer.clone(), "daily").await;
    let drawn = drawn.expect("sampling is back");
    assert_eq!(
        (drawn.drawn_school_count, drawn.class_group_count),
        (3, 0),
        "drawn once only"
    );

    city.start_again("roster").await;
    let students = students_of_schools(officer, city.town.schools).await;
    let students = students.expect("roster is back");
    assert_eq!(students.len() as u32, city.town.everybody());
}

/// Checks are taken without roster, fevers make a cluster, and the gate hears of who is ill.
async fn classes_report(city: &City) {
    let check = three_fevers(city, 3, 1, Slot::Morning);
    let taken = submit(&reporter(city, 3, 1), &check).await;
    assert_eq!(taken.expect("is taken").verdict(), Verdict::Stored);
    let request = ListClustersRequest {
        organization: format!("organizations/{}", school(3)),
        ..ListClustersRequest::default()
    };
    let mut clusters = ClusterServiceClient::new(city.door(Role::SchoolDoctor, &school_path(3)));
    let found = clusters.list_clusters(request).await.expect("clusters");
    assert_eq!(found.into_inner().clusters.len(), 1);
    until("the gate hears of who is ill", || async {
        let decision = enter(city, 3, city.student(3, 1, 1)).await;
        (decision.effective_result() == Outcome::Deny).then_some(())
    })
    .await;
}

async fn the_register_is_silent(city: &City) {
    let officer = city.door(Role::CityOfficer, CITY);
    let asked = students_of_schools(officer, 1);
    let refused = within("the gateway tells that roster is down", asked).await;
    let refused = refused.expect_err("roster is down");
    assert_eq!(
        told(&refused),
        (Code::Unavailable, "UNAVAILABLE".to_owned())
    );
}

/// A directive goes from draft to its recipients with roster and sampling gone.
pub(crate) async fn directives_are_written(city: &City) {
    let place = format!("{CITY}/{DISTRICT}");
    let request = DraftDirectiveRequest {
        parent: format!("organizations/{DISTRICT}"),
        urgency: Urgency::Urgent.into(),
        title: "通知".to_owned(),
        text: "请各校落实晨午晚检。".to_owned(),
        audience: Some(Audience {
            organizations: vec![format!("organizations/{}", school(1))],
            ..Audience::default()
        }),
        ..DraftDirectiveRequest::default()
    };
    let mut district = DirectiveServiceClient::new(city.door(Role::DistrictOfficer, &place));
    let drafted = district.draft_directive(request).await;
    let Directive { name, .. } = drafted.expect("is drafted").into_inner();
    let mut bureau = DirectiveServiceClient::new(city.door(Role::CityOfficer, CITY));
    let request = ApproveDirectiveRequest {
        name: name.clone(),
        ..ApproveDirectiveRequest::default()
    };
    let approved = bureau.approve_directive(request).await;
    approved.expect("another person approves");
    let request = IssueDirectiveRequest {
        name: name.clone(),
        ..IssueDirectiveRequest::default()
    };
    district.issue_directive(request).await.expect("is issued");
    let request = ListRecipientsRequest {
        parent: name,
        ..ListRecipientsRequest::default()
    };
    let listed = district.list_recipients(request).await.expect("recipients");
    let reached = listed.into_inner().recipients;
    assert_eq!(reached.len(), 1, "the school that it is for: {reached:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn gates_decide_and_draws_are_made_while_neighbours_are_down_sqlite() {
    neighbours_down(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gates_decide_and_draws_are_made_while_neighbours_are_down_postgres() {
    neighbours_down(Store::Postgres).await;
}
