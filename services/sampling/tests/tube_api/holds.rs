//! What follows from positive tubes (rules 2.19, 2.20, 2.22).

use futures_util::StreamExt;
use kit::auth::Role;
use proto::sampling::clearance::Control;
use proto::sampling::clearance_feed_client::ClearanceFeedClient;
use proto::sampling::sampling_event::State as Told;
use proto::sampling::sampling_feed_client::SamplingFeedClient;
use proto::sampling::{
    ClearanceSnapshotRequest, CloseTubeRequest, HoldEvent, ListHoldEventsRequest,
    ListRecheckOrdersRequest, PoolType, RecheckOrder, ReleaseHoldRequest, ResultValue,
    SamplingEvent, SamplingSnapshotRequest, SingleReason, hold, recheck_order, tube,
};

use super::site::{CLASS, Site, refused};
use super::town::{SCHOOL, on_both_databases, reason, school_path, student};

on_both_databases!(
    a_positive_holds_everybody_until_singles_are_negative,
    a_human_releases,
    the_positive_single_is_isolated_and_the_others_are_contacts,
    the_feeds_tell_whom_a_hold_concerns_and_that_it_is_over,
    after_a_release_by_hand_a_positive_single_still_isolates,
    a_tube_is_closed_once_its_matter_is_settled,
    a_lost_single_is_taken_again,
);

/// T5.
async fn a_positive_holds_everybody_until_singles_are_negative(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.filled("FZ-0001", 0..3).await;
    assert_eq!(site.not_clear().await, 0);
    assert_eq!(
        site.report("FZ-0001", 1, ResultValue::Positive).await,
        (true, String::new())
    );
    assert_eq!(site.not_clear().await, 3);
    let held = site.hold("FZ-0001").await;
    assert_eq!((held.state(), held.members.len()), (hold::State::Active, 3));
    assert_eq!(site.tube("FZ-0001").await.state(), tube::State::HoldActive);
    site.issue(PoolType::Single, &["SG-0000", "SG-0001", "SG-0002"])
        .await;
    for number in 0..3 {
        assert_eq!(site.not_clear().await, 3);
        let single = format!("SG-{number:04}");
        site.open_tube(&single, "holds/FZ-0001").await;
        site.add(&single, number, SingleReason::Unspecified)
            .await
            .expect("alone");
        site.bring(&single, chrono::Duration::minutes(5)).await;
        assert!(site.report(&single, 1, ResultValue::Negative).await.0);
    }
    assert_eq!(
        site.hold("FZ-0001").await.state(),
        hold::State::ResolvedNegative
    );
    assert_eq!(
        site.tube("FZ-0001").await.state(),
        tube::State::ResolvedNegative
    );
    assert_eq!(site.not_clear().await, 0);
    let request = ListHoldEventsRequest {
        hold: "holds/FZ-0001".to_owned(),
        ..Default::default()
    };
    let events = site
        .holds()
        .list_hold_events(request)
        .await
        .expect("lines")
        .into_inner()
        .hold_events;
    let count = |kind: &str| events.iter().filter(|event| event.kind == kind).count();
    assert_eq!((count("HELD"), count("RELEASED")), (3, 3));
}

async fn a_human_releases(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.filled("FZ-0001", 0..2).await;
    assert!(site.report("FZ-0001", 1, ResultValue::Suspect).await.0);
    assert_eq!(site.not_clear().await, 2);
    let request = ReleaseHoldRequest {
        name: "holds/FZ-0001".to_owned(),
        reason: "疾控确认样本污染".to_owned(),
        decided_by: "值班主任".to_owned(),
        ..Default::default()
    };
    let released = site
        .holds()
        .release_hold(request.clone())
        .await
        .expect("released")
        .into_inner();
    assert_eq!(released.state(), hold::State::Released);
    assert_eq!(site.not_clear().await, 0);
    let again = site
        .holds()
        .release_hold(request)
        .await
        .expect_err("released before");
    assert_eq!(reason(&again), refused("HOLD_STATE"));
}

async fn events(site: &Site) -> Vec<HoldEvent> {
    let request = ListHoldEventsRequest {
        hold: "holds/FZ-0001".to_owned(),
        ..Default::default()
    };
    let events = site.holds().list_hold_events(request).await;
    events.expect("lines").into_inner().hold_events
}

async fn orders(site: &Site) -> Vec<RecheckOrder> {
    let request = ListRecheckOrdersRequest {
        hold: "holds/FZ-0001".to_owned(),
        ..Default::default()
    };
    let orders = site.holds().list_recheck_orders(request).await;
    orders.expect("orders").into_inner().recheck_orders
}

async fn the_positive_single_is_isolated_and_the_others_are_contacts(
    database: kit::scratch::Scratch,
) {
    let site = Site::open(database).await;
    site.filled("FZ-0001", 0..3).await;
    assert!(site.report("FZ-0001", 1, ResultValue::Suspect).await.0);
    let waiting = orders(&site).await;
    assert_eq!(waiting.len(), 3);
    assert!(waiting.iter().all(|order| order.tube.is_empty()
        && order.state() == recheck_order::State::Pending
        && order.due_time.is_some()));
    for (number, value) in [
        (0, ResultValue::Negative),
        (1, ResultValue::Positive),
        (2, ResultValue::Negative),
    ] {
        let code = format!("SG-{number:04}");
        site.single(&code, "holds/FZ-0001", number).await;
        assert!(site.report(&code, 1, value).await.0);
    }
    let hold = site.hold("FZ-0001").await;
    assert_eq!(
        (hold.state(), hold.positive_count),
        (hold::State::ResolvedPositive, 1)
    );
    let pool = site.tube("FZ-0001").await;
    assert_eq!(
        (pool.state(), pool.positive_count),
        (tube::State::ResolvedPositive, 1)
    );
    let mut controls = site.controls().await;
    controls.sort_unstable();
    let (contact, isolated) = (Control::CloseContact as i16, Control::Isolated as i16);
    assert_eq!(controls, [contact, contact, isolated]);
    let told = orders(&site).await;
    let positive = told.iter().find(|order| order.person == student(1));
    assert_eq!(
        positive.map(|order| (order.state(), order.tube.as_str())),
        Some((recheck_order::State::Positive, "tubes/SG-0001"))
    );
    let lines = events(&site).await;
    let numbers: Vec<_> = lines.iter().map(|line| line.sequence).collect();
    assert_eq!(
        numbers,
        (1..=6).collect::<Vec<_>>(),
        "one line a change, without gaps"
    );
    assert!(
        lines
            .iter()
            .all(|line| line.actor == "rule 2.22" && !line.reason.is_empty())
    );
    let count = |kind: &str| lines.iter().filter(|line| line.kind == kind).count();
    assert_eq!(
        (count("HELD"), count("ISOLATED"), count("CONTACT")),
        (3, 1, 2)
    );
}

/// What notification and the gates hear of a hold.
async fn the_feeds_tell_whom_a_hold_concerns_and_that_it_is_over(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.filled("FZ-0001", 0..3).await;
    assert!(site.report("FZ-0001", 1, ResultValue::Positive).await.0);
    let held = until(&site, |events| {
        events.iter().any(|event| event.entity == "holds/FZ-0001")
    })
    .await;
    let told = held.iter().find(|event| event.entity == "holds/FZ-0001");
    let told = told.expect("a hold");
    assert_eq!(told.org_path, format!("{}/{CLASS}", school_path(SCHOOL)));
    let Some(Told::Hold(hold)) = &told.state else {
        panic!("a hold without its state");
    };
    let class_group = format!("organizations/{SCHOOL}/classGroups/{CLASS}");
    assert_eq!(hold, &site.hold("FZ-0001").await);
    assert_eq!(
        (hold.members.len(), &hold.class_groups, &hold.class_group),
        (3, &vec![class_group.clone()], &class_group)
    );
    assert!(hold.start_time.is_some() && hold.notify_due_time.is_some());
    assert_eq!(not_clear(&site, 3).await, vec![Control::PoolHold; 3]);
    for number in 0..3 {
        let code = format!("SG-{number:04}");
        site.single(&code, "holds/FZ-0001", number).await;
        assert!(site.report(&code, 1, ResultValue::Negative).await.0);
    }
    until(&site, |events| {
        !events.iter().any(|event| event.entity == "holds/FZ-0001")
    })
    .await;
    assert_eq!(not_clear(&site, 0).await, []);
}

/// The snapshot of the sampling feed once it is as wanted; the sequencer needs a moment.
async fn until(site: &Site, wanted: impl Fn(&[SamplingEvent]) -> bool) -> Vec<SamplingEvent> {
    let look = async {
        loop {
            let mut feed = SamplingFeedClient::new(site.as_role(Role::DiseaseControl, None));
            let parts = feed.snapshot(SamplingSnapshotRequest::default()).await;
            let parts: Vec<_> = parts.expect("a snapshot").into_inner().collect().await;
            let parts = parts.into_iter().map(|part| part.expect("a part"));
            let events: Vec<SamplingEvent> = parts.flat_map(|part| part.events).collect();
            if wanted(&events) {
                return events;
            }
            tokio::task::yield_now().await;
        }
    };
    let found = tokio::time::timeout(std::time::Duration::from_secs(20), look).await;
    found.expect("the feed tells")
}

/// The controls in the clearance feed, once there are so many.
async fn not_clear(site: &Site, many: usize) -> Vec<Control> {
    let look = async {
        loop {
            let mut feed = ClearanceFeedClient::new(site.as_role(Role::DiseaseControl, None));
            let parts = feed.snapshot(ClearanceSnapshotRequest::default()).await;
            let parts: Vec<_> = parts.expect("a snapshot").into_inner().collect().await;
            let parts = parts.into_iter().map(|part| part.expect("a part"));
            let clearances = parts.flat_map(|part| part.events);
            let controls: Vec<Control> = clearances
                .filter_map(|event| event.clearance)
                .map(|clearance| clearance.control())
                .collect();
            if controls.len() == many {
                return controls;
            }
            tokio::task::yield_now().await;
        }
    };
    let found = tokio::time::timeout(std::time::Duration::from_secs(20), look).await;
    found.expect("the feed tells")
}

async fn after_a_release_by_hand_a_positive_single_still_isolates(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.filled("FZ-0001", 0..2).await;
    assert!(site.report("FZ-0001", 1, ResultValue::Positive).await.0);
    site.single("SG-0001", "holds/FZ-0001", 1).await;
    let release = ReleaseHoldRequest {
        name: "holds/FZ-0001".to_owned(),
        reason: "疾控确认样本污染".to_owned(),
        decided_by: "值班主任".to_owned(),
        ..Default::default()
    };
    site.holds().release_hold(release).await.expect("released");
    assert_eq!(site.not_clear().await, 0);
    let lines = events(&site).await;
    let released = lines.iter().filter(|line| line.kind == "RELEASED");
    let reasons: Vec<_> = released
        .map(|line| (line.actor.as_str(), line.reason.as_str()))
        .collect();
    assert_eq!(reasons, [("tester", "值班主任: 疾控确认样本污染"); 2]);
    assert!(site.report("SG-0001", 1, ResultValue::Positive).await.0);
    let mut controls = site.controls().await;
    controls.sort_unstable();
    assert_eq!(
        controls,
        [Control::CloseContact as i16, Control::Isolated as i16]
    );
    // A later version of the pool's result is a new fact for those a human had released.
    assert!(site.report("SG-0001", 2, ResultValue::Negative).await.0);
    assert_eq!(site.not_clear().await, 0);
    assert!(site.report("FZ-0001", 2, ResultValue::Positive).await.0);
    assert_eq!(site.hold("FZ-0001").await.state(), hold::State::Active);
    assert_eq!(site.not_clear().await, 2);
}

async fn a_tube_is_closed_once_its_matter_is_settled(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.filled("FZ-0001", 0..2).await;
    assert!(site.report("FZ-0001", 1, ResultValue::Positive).await.0);
    let close = CloseTubeRequest {
        name: "tubes/FZ-0001".to_owned(),
        ..Default::default()
    };
    let early = site.sampler().close_tube(close.clone()).await;
    assert_eq!(reason(&early.expect_err("held")), refused("TUBE_STATE"));
    let release = ReleaseHoldRequest {
        name: "holds/FZ-0001".to_owned(),
        reason: "样本污染".to_owned(),
        decided_by: "值班主任".to_owned(),
        ..Default::default()
    };
    site.holds().release_hold(release).await.expect("released");
    let closed = site.sampler().close_tube(close).await.expect("closed");
    assert_eq!(closed.into_inner().state(), tube::State::Closed);
    let late = site.report("FZ-0001", 2, ResultValue::Negative).await;
    assert_eq!(late, (false, "TUBE_STATE".to_owned()), "CLOSED is final");
}

async fn a_lost_single_is_taken_again(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.filled("FZ-0001", 0..1).await;
    assert!(site.report("FZ-0001", 1, ResultValue::Positive).await.0);
    site.single("SG-0001", "holds/FZ-0001", 0).await;
    assert!(site.report("SG-0001", 1, ResultValue::Invalid).await.0);
    assert_eq!(site.hold("FZ-0001").await.state(), hold::State::Active);
    site.issue(PoolType::Single, &["SG-0002"]).await;
    site.open_tube("SG-0002", "holds/FZ-0001").await;
    let again = site.add("SG-0002", 0, SingleReason::Unspecified).await;
    assert_eq!(again.expect("swabbed again").swab_count, 1);
    site.bring("SG-0002", chrono::Duration::minutes(5)).await;
    assert!(site.report("SG-0002", 1, ResultValue::Negative).await.0);
    assert_eq!(
        site.hold("FZ-0001").await.state(),
        hold::State::ResolvedNegative
    );
    assert_eq!(site.not_clear().await, 0);
}
