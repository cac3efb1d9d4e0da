//! An alert by a fact of sampling: it reaches whoever must see to it, is taken over, goes up when nobody
//! acts, and ends with its fact.

use kit::auth::Role;
use proto::notification::alert::{Kind, State};
use proto::notification::alert_entry::Event;
use proto::notification::alert_service_client::AlertServiceClient;
use proto::notification::message::Category;
use proto::notification::{
    AcknowledgeAlertRequest, Alert, GetAlertRequest, ListAlertEntriesRequest, ListAlertsRequest,
    ResolveAlertRequest, TakeAlertRequest,
};
use proto::roster::check_policy::Slot;
use proto::sampling::CloseClusterRequest;
use proto::sampling::cluster_service_client::ClusterServiceClient;
use tests::city::Door;
use tests::town::{CITY, DISTRICT, school, school_path};
use tests::until;
use tonic::{Code, Status};

use super::inbox::{Inbox, was_read};
use crate::checks::{reporter, submit, three_fevers};
use crate::region::Region;
use crate::verbs::{alert_about, denied, expect, request_id};

fn alerts(door: &Door) -> AlertServiceClient<Door> {
    AlertServiceClient::new(door.clone())
}

async fn acknowledge(door: &Door, name: &str) -> Result<Alert, Status> {
    let request = AcknowledgeAlertRequest {
        name: name.to_owned(),
        comment: String::new(),
        request_id: request_id(),
    };
    Ok(alerts(door).acknowledge_alert(request).await?.into_inner())
}

async fn take(door: &Door, name: &str, comment: &str) -> Result<Alert, Status> {
    let request = TakeAlertRequest {
        name: name.to_owned(),
        comment: comment.to_owned(),
        request_id: request_id(),
    };
    Ok(alerts(door).take_alert(request).await?.into_inner())
}

async fn resolve(door: &Door, name: &str) -> Result<Alert, Status> {
    let request = ResolveAlertRequest {
        name: name.to_owned(),
        comment: "已处置".to_owned(),
        request_id: request_id(),
    };
    Ok(alerts(door).resolve_alert(request).await?.into_inner())
}

async fn read(door: &Door, name: &str) -> Result<Alert, Status> {
    let name = name.to_owned();
    let alert = alerts(door).get_alert(GetAlertRequest { name }).await?;
    Ok(alert.into_inner())
}

async fn events(door: &Door, alert: &str) -> Vec<Event> {
    let request = ListAlertEntriesRequest {
        parent: alert.to_owned(),
        ..ListAlertEntriesRequest::default()
    };
    let listed = alerts(door).list_alert_entries(request).await;
    let entries = listed.expect("its history").into_inner().entries;
    entries.iter().map(|entry| entry.event()).collect()
}

/// The epidemic reporter of a school, who is a person of the register.
fn epidemic_reporter(region: &Region, at: u32) -> (Door, String) {
    let person = region.staff(&school(at), "疫情报告人").to_owned();
    let door = region.person(Role::EpidemicReporter, &school_path(at), &person);
    (door, person)
}

/// The reporter of a class group submits three fevers; the alert about the cluster that this is.
async fn three_fall_ill(region: &Region, at: u32) -> Alert {
    let check = three_fevers(&region.city, at, 1, Slot::Morning);
    let submitted = submit(&reporter(&region.city, at, 1), &check).await;
    submitted.expect("is submitted");
    let (own, _) = epidemic_reporter(region, at);
    until("a cluster raises its alert", || async {
        let request = ListAlertsRequest {
            parent: format!("organizations/{}", school(at)),
            kind: Kind::ClusterFound.into(),
            ..ListAlertsRequest::default()
        };
        let listed = alerts(&own).list_alerts(request).await.expect("alerts");
        listed.into_inner().alerts.into_iter().next()
    })
    .await
}

/// It comes into the inbox of its owner while that one watches, and tells of no person.
pub(super) async fn reaches_its_owner(region: &Region) -> Alert {
    region.at(6, 8, 10);
    let (own, person) = epidemic_reporter(region, 1);
    let principal = region.city.door(Role::Principal, &school_path(1));
    let refused = Inbox::open(&principal, &person).await;
    denied("somebody else's inbox", refused.map(drop));
    let mut inbox = Inbox::open(&own, &person).await.expect("one's own inbox");
    let alert = three_fall_ill(region, 1).await;
    assert_eq!((alert.state(), &alert.owner), (State::Open, &person));
    let told = inbox.about(&alert.name).await;
    assert_eq!(told.category(), Category::Alert);
    assert!(told.body.contains(&alert.title), "{told:?}");
    let shown = format!("{told:?} {alert:?}");
    for place in 1..=3 {
        assert!(!shown.contains(region.city.student(1, 1, place)), "{shown}");
    }
    let (sibling, _) = epidemic_reporter(region, 2);
    assert_eq!(was_read(&sibling, &told.delivery).await, 0, "not theirs");
    assert_eq!(was_read(&own, &told.delivery).await, 1);
    assert_eq!(was_read(&own, &told.delivery).await, 0, "once");
    alert
}

/// Seen, taken, taken over with a reason; while the fact stands, nobody ends it but the fact.
pub(super) async fn is_taken_over_and_ends_with_its_fact(region: &Region, alert: &Alert) {
    let name = &*alert.name;
    let (own, _) = epidemic_reporter(region, 1);
    let (sibling, _) = epidemic_reporter(region, 2);
    let guard = region.city.door(Role::Guard, &school_path(1));
    let control = region.city.door(Role::DiseaseControl, CITY);
    for wrong in [&sibling, &guard, &control] {
        denied("acknowledging", acknowledge(wrong, name).await);
        denied("taking", take(wrong, name, "接手").await);
        denied("ending", resolve(wrong, name).await);
    }
    denied("reading", read(&sibling, name).await);
    denied("reading", read(&guard, name).await);
    let early = take(&own, name, "").await;
    expect(
        "not seen yet",
        early,
        Code::FailedPrecondition,
        "ALERT_STATE",
    );
    let seen = acknowledge(&own, name).await.expect("is seen");
    assert_eq!(seen.state(), State::Acknowledged);
    take(&own, name, "").await.expect("is taken");
    let doctor = region.city.door(Role::SchoolDoctor, &school_path(1));
    let silent = take(&doctor, name, "").await;
    expect(
        "without a reason",
        silent,
        Code::FailedPrecondition,
        "ALERT_STATE",
    );
    let taken = take(&doctor, name, "由校医接手处置")
        .await
        .expect("is taken over");
    let by = taken.taken.expect("somebody").subject;
    assert_eq!(by, "test-school-doctor");
    let early = resolve(&doctor, name).await;
    expect(
        "the fact stands",
        early,
        Code::FailedPrecondition,
        "ALERT_FACT_STANDS",
    );

    let request = CloseClusterRequest {
        name: alert.basis.clone(),
        reason: "三人均已痊愈，环境已消毒".to_owned(),
        decided_by: "校医".to_owned(),
        request_id: request_id(),
    };
    let closed = ClusterServiceClient::new(doctor)
        .close_cluster(request)
        .await;
    closed.expect("the cluster is closed");
    let over = until("the alert ends with its fact", || async {
        let now = read(&own, name).await.expect("the alert");
        (now.state() == State::Resolved).then_some(now)
    })
    .await;
    assert_eq!(over.resolved.expect("somebody").subject, "fact");
    let history = [
        Event::Raised,
        Event::Told,
        Event::Acknowledged,
        Event::Taken,
        Event::Taken,
        Event::Resolved,
    ];
    assert_eq!(events(&own, name).await, history);
}

/// Whoever answers at the bureau has it after two hours, and after two more the city itself.
pub(super) async fn goes_up_when_nobody_acts(region: &Region) {
    region.at(6, 8, 20);
    let alert = three_fall_ill(region, 2).await;
    let [own, other] = region.bureaus();
    let person = region.staff(DISTRICT, "疫情报告人").to_owned();
    let bureau = region.person(Role::DistrictOfficer, &own.1, &person);
    let mut inbox = Inbox::open(&bureau, &person)
        .await
        .expect("one's own inbox");
    let city = region.officer("chief");
    let desk = format!("organizations/{CITY}");
    denied("the city's", Inbox::open(&bureau, &desk).await.map(drop));
    let mut of_city = Inbox::open(&city, &desk).await.expect("the city's inbox");

    region.at(6, 10, 21);
    inbox.about(&alert.name).await;
    let now = alert_about(&region.city, 2, &alert.basis)
        .await
        .expect("the alert");
    assert_eq!(
        (now.state(), now.escalated, now.escalation_level, &now.owner),
        (State::Open, true, 1, &person)
    );
    assert_eq!(now.upper_organization, format!("organizations/{DISTRICT}"));
    let elsewhere = region.acting(&other);
    denied("another bureau", acknowledge(&elsewhere, &alert.name).await);

    region.at(6, 12, 22);
    of_city.about(&alert.name).await;
    let now = read(&city, &alert.name).await.expect("the alert");
    assert_eq!(
        (now.escalation_level, &*now.owner),
        (2, ""),
        "nobody is named there"
    );
    let seen = acknowledge(&bureau, &alert.name).await.expect("is seen");
    assert_eq!(seen.state(), State::Acknowledged);
    region.at(6, 18, 0);
    let after = read(&city, &alert.name).await.expect("the alert");
    assert_eq!(
        (after.state(), after.escalation_level),
        (State::Acknowledged, 2)
    );
    let history = [
        Event::Raised,
        Event::Told,
        Event::Escalated,
        Event::Told,
        Event::Escalated,
        Event::Told,
        Event::Acknowledged,
    ];
    assert_eq!(events(&bureau, &alert.name).await, history);
}
