//! Histories and groups of alerts, as officers and schools see them.

use crate::town;
use crate::town::on_both;
use chrono::Duration;
use kit::auth::Role;
use kit::clock::Clock;
use kit::field::to_timestamp;
use kit::scratch::Scratch;
use proto::notification as pb;
use proto::notification::alert::{Kind, Severity};
use proto::notification::alert_entry::Event;

use crate::town::doctors::{Act, held};
use crate::town::officers::once;
use crate::town::world::{World, by, reason};
use crate::town::{
    BUREAU, CITY, OTHER_PATH, SCHOOL, SCHOOL_PATH, SISTER_PATH, placed, released, sampling, staff,
};

on_both!(
    the_history_of_an_alert_is_kept,
    an_alert_is_taken_over_with_a_word,
    words_are_added_once,
    alerts_are_counted_in_groups,
);

async fn the_history_of_an_alert_is_kept(scratch: Scratch) {
    let mut world = held(scratch).await;
    let name = world.the_alert().await.name;
    for act in [Act::Acknowledge, Act::Take] {
        world.act(act, &name, SCHOOL_PATH).await.expect("moved on");
    }
    world.comment(&name, "家长已到校", "").await.expect("added");
    world.clock.advance(Duration::hours(1));
    let over = [released(SCHOOL_PATH, "T1", 2)];
    sampling(&world.db, &world.clock, &over, 1).await;
    world.comment(&name, "材料已归档", "").await.expect("added");
    let entries = world.entries(&name).await;
    let told: Vec<_> = entries
        .iter()
        .map(|entry| {
            (
                entry.event(),
                &*entry.subject,
                &*entry.comment,
                &*entry.owner,
            )
        })
        .collect();
    let owner = staff(1);
    assert_eq!(
        told,
        [
            (Event::Raised, "fact", "", &*owner),
            (Event::Told, "clock", "", &*owner),
            (Event::Acknowledged, "doctor-1", "已安排复检", ""),
            (Event::Taken, "doctor-1", "已安排复检", ""),
            (Event::Commented, "doctor-1", "家长已到校", ""),
            (Event::Resolved, "fact", "", ""),
            (Event::Commented, "doctor-1", "材料已归档", ""),
        ]
    );
    assert_eq!(entries[4].name, format!("{name}/entries/5"));
    assert_eq!(entries[5].time, Some(to_timestamp(world.clock.now())));
    let ask = pb::ListAlertEntriesRequest {
        parent: name,
        ..Default::default()
    };
    let ask = by("reader-1", Role::Principal, SISTER_PATH, ask);
    let denied = world.alerts.list_alert_entries(ask).await;
    assert_eq!(reason(&denied.expect_err("elsewhere")), "SCOPE_DENIED");
}

async fn an_alert_is_taken_over_with_a_word(scratch: Scratch) {
    let mut world = held(scratch).await;
    let name = world.the_alert().await.name;
    for act in [Act::Acknowledge, Act::Take] {
        world.act(act, &name, SCHOOL_PATH).await.expect("moved on");
    }
    for (who, comment) in [("doctor-1", "再次处理"), ("principal-1", "")] {
        let refused = world.take(who, &name, comment).await.expect_err("refused");
        assert_eq!(reason(&refused), "ALERT_STATE", "{who}");
    }
    let taken = world.take("principal-1", &name, "校医请假，由我处理").await;
    let step = taken.expect("taken over").taken.expect("a step");
    assert_eq!(
        (&*step.subject, &*step.comment),
        ("principal-1", "校医请假，由我处理")
    );
    let events = world.events(&name).await;
    assert_eq!(events[3..], [Event::Taken, Event::Taken]);
}

async fn words_are_added_once(scratch: Scratch) {
    let mut world = held(scratch).await;
    let name = world.the_alert().await.name;
    let id = once();
    let first = world
        .comment(&name, "家长已到校", &id)
        .await
        .expect("added");
    let again = world
        .comment(&name, "家长已到校", &id)
        .await
        .expect("repeated");
    assert_eq!(first, again);
    assert_eq!(world.entries(&name).await.len(), 3);
    for comment in ["", " ", &"长".repeat(501)] {
        let refused = world.comment(&name, comment, "").await;
        assert_eq!(reason(&refused.expect_err("malformed")), "INVALID_FIELD");
    }
}

async fn alerts_are_counted_in_groups(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    world.cluster("C1").await;
    world.cluster("C2").await;
    let holds = [
        placed(SISTER_PATH, "T1", 1),
        placed(OTHER_PATH, "T2", 1),
        placed(SCHOOL_PATH, "T3", 1),
    ];
    world.clock.advance(Duration::minutes(1));
    sampling(&world.db, &world.clock, &holds, 1).await;
    let over = [released(SCHOOL_PATH, "T3", 2)];
    sampling(&world.db, &world.clock, &over, 1).await;
    let alerts = world.list(Role::Principal, SCHOOL_PATH, SCHOOL).await;
    let alerts = alerts.expect("listed");
    let seen = alerts.iter().find(|alert| alert.basis == "clusters/C1");
    let seen = seen.expect("an alert").name.clone();
    world
        .act(Act::Acknowledge, &seen, SCHOOL_PATH)
        .await
        .expect("seen");
    let first = pb::AlertGroup {
        organization: BUREAU.to_owned(),
        kind: Kind::HoldPlaced.into(),
        severity: Severity::Critical.into(),
        alert_count: 1,
        open_count: 1,
        escalated_count: 0,
        oldest_time: Some(to_timestamp(world.clock.now())),
        due_time: Some(to_timestamp(town::morning() + Duration::minutes(10))),
    };
    let second = pb::AlertGroup {
        organization: "organizations/350103".to_owned(),
        ..first.clone()
    };
    let clusters = pb::AlertGroup {
        organization: BUREAU.to_owned(),
        kind: Kind::ClusterFound.into(),
        severity: Severity::Warning.into(),
        alert_count: 2,
        open_count: 1,
        escalated_count: 0,
        oldest_time: Some(to_timestamp(town::morning())),
        due_time: Some(to_timestamp(town::morning() + Duration::hours(2))),
    };
    let expected = [first, second, clusters.clone()];
    for page_size in [0, 1] {
        assert_eq!(world.groups(CITY, "fz", page_size).await, expected);
    }
    let below = world.groups(SCHOOL, SCHOOL_PATH, 0).await;
    let own = pb::AlertGroup {
        organization: SCHOOL.to_owned(),
        ..clusters
    };
    assert_eq!(below, [own]);
}
