//! A small invented city: two schools, a class group each, and some staff.
#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "each test binary uses a part"
)]

pub(crate) mod hazards;
pub(crate) mod provider;
pub(crate) mod tree;
pub(crate) mod world;

pub(crate) use world::on_both;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use kit::clock::ManualClock;
use kit::db::Database;
use kit::projection::Projection;
use proto::roster as pb;
use proto::roster::roster_event::State;
use proto::sampling as spb;
use safety_inspection::{ClearanceProjection, RosterProjection};
use uuid::Uuid;

pub(crate) const SCHOOL: &str = "organizations/2135010001";
pub(crate) const SCHOOL_PATH: &str = "fz/350102/2135010001";
pub(crate) const OTHER_PATH: &str = "fz/350103/2135010002";

pub(crate) fn student(number: u128) -> String {
    format!("students/{}", Uuid::from_u128(number).hyphenated())
}

pub(crate) fn staff(number: u128) -> String {
    format!("staff/{}", Uuid::from_u128(number).hyphenated())
}

pub(crate) fn organization(id: &str, path: &str) -> pb::RosterEvent {
    event(
        &format!("organizations/{id}"),
        path,
        1,
        State::Organization(pb::Organization {
            name: format!("organizations/{id}"),
            org_path: path.to_owned(),
            ..Default::default()
        }),
    )
}

pub(crate) fn event(entity: &str, path: &str, version: i64, state: State) -> pb::RosterEvent {
    pb::RosterEvent {
        entity: entity.to_owned(),
        version,
        org_path: path.to_owned(),
        removed: false,
        state: Some(state),
    }
}

pub(crate) fn roll_member(person: String) -> pb::RollMember {
    pb::RollMember {
        person,
        presence: pb::roll_member::Presence::Expected.into(),
        ..Default::default()
    }
}

/// The roll of class group 1 at the school at `path`.
pub(crate) fn class_roll(path: &str, version: i64, members: &[u128]) -> pb::RosterEvent {
    class_roll_taught(
        path,
        version,
        members,
        pb::class_group_roll::TeachingMode::InPerson,
    )
}

pub(crate) fn class_roll_taught(
    path: &str,
    version: i64,
    members: &[u128],
    mode: pb::class_group_roll::TeachingMode,
) -> pb::RosterEvent {
    let school = path.rsplit('/').next().unwrap_or_default();
    let entity = format!("organizations/{school}/classGroups/p2019-01");
    event(
        &entity,
        &format!("{path}/p2019-01"),
        version,
        State::ClassGroupRoll(pb::ClassGroupRoll {
            class_group: entity.clone(),
            organization: format!("organizations/{school}"),
            display_name: "三（1）班".to_owned(),
            grade: 3,
            teaching_mode: mode.into(),
            members: members
                .iter()
                .map(|number| roll_member(student(*number)))
                .collect(),
        }),
    )
}

pub(crate) fn staff_roll(path: &str, version: i64, members: &[u128]) -> pb::RosterEvent {
    let school = path.rsplit('/').next().unwrap_or_default();
    let member = |number: &u128| pb::StaffRollMember {
        member: Some(roll_member(staff(*number))),
        posts: vec!["GUARD".to_owned()],
        grade: 0,
    };
    event(
        &format!("organizations/{school}/staffRoll"),
        path,
        version,
        State::StaffRoll(pb::StaffRoll {
            organization: format!("organizations/{school}"),
            members: members.iter().map(member).collect(),
        }),
    )
}

pub(crate) fn policy(
    region: &str,
    version: i64,
    change: impl Fn(&mut pb::PolicyProfile),
) -> pb::RosterEvent {
    use pb::gate_policy::CodeColour;
    let mut profile = pb::PolicyProfile {
        name: "policyProfiles/fuzhou-2022-04-1".to_owned(),
        policy_version: format!("fuzhou-2022-04@{version}"),
        effective_date: Some(proto::Date {
            year: 2022,
            month: 4,
            day: 1,
        }),
        gate: Some(pb::GatePolicy {
            temperature_max_tenths: 373,
            recheck_wait: Some(prost_types::Duration {
                seconds: 900,
                nanos: 0,
            }),
            health_code_check: true,
            deny_colours: [CodeColour::Red, CodeColour::Yellow, CodeColour::Unknown]
                .map(Into::into)
                .to_vec(),
            travel_card_check: true,
            travel_window_days: 14,
            snapshot_max_age: Some(prost_types::Duration {
                seconds: 1800,
                nanos: 0,
            }),
            ..Default::default()
        }),
        person_code: Some(pb::PersonCodePolicy { ttl_days: 30 }),
        ..Default::default()
    };
    change(&mut profile);
    event(
        "policyProfiles/fuzhou-2022-04-1",
        region,
        version,
        State::PolicyProfile(profile),
    )
}

/// Two schools with students 1 to 5 and 11 to 12, staff 21 at the first.
pub(crate) fn city() -> Vec<pb::RosterEvent> {
    vec![
        organization("fz", "fz"),
        organization("350102", "fz/350102"),
        organization("2135010001", SCHOOL_PATH),
        organization("2135010002", OTHER_PATH),
        class_roll(SCHOOL_PATH, 1, &[1, 2, 3, 4, 5]),
        class_roll(OTHER_PATH, 1, &[11, 12]),
        staff_roll(SCHOOL_PATH, 1, &[21]),
        policy("", 1, |_| {}),
    ]
}

pub(crate) fn held(person: &str, version: i64) -> spb::ClearanceEvent {
    spb::ClearanceEvent {
        entity: person.to_owned(),
        version,
        org_path: format!("{SCHOOL_PATH}/p2019-01"),
        removed: false,
        clearance: Some(spb::Clearance {
            person: person.to_owned(),
            control: spb::clearance::Control::PoolHold.into(),
            medical: spb::clearance::Medical::Normal.into(),
            rule: "2.19".to_owned(),
            ..Default::default()
        }),
    }
}

pub(crate) fn released(person: &str, version: i64) -> spb::ClearanceEvent {
    spb::ClearanceEvent {
        removed: true,
        clearance: None,
        ..held(person, version)
    }
}

pub(crate) async fn roster(db: &Database, events: &[pb::RosterEvent], generation: i64) {
    let tx = db.begin().await.expect("a transaction");
    let projection = RosterProjection::default();
    projection
        .apply(&tx, events, generation)
        .await
        .expect("applied");
    tx.commit().await.expect("committed");
}

/// Tells clearances an hour before the day of a world begins.
pub(crate) async fn clearance(db: &Database, events: &[spb::ClearanceEvent], generation: i64) {
    let before = "2022-04-05T23:00:00Z".parse().expect("an instant");
    clearance_at(db, events, generation, before).await;
}

/// Tells clearances at an instant.
pub(crate) async fn clearance_at(
    db: &Database,
    events: &[spb::ClearanceEvent],
    generation: i64,
    time: DateTime<Utc>,
) {
    let tx = db.begin().await.expect("a transaction");
    let clock = Arc::new(ManualClock::at(time));
    let projection = ClearanceProjection::new(Arc::default(), clock);
    projection
        .apply(&tx, events, generation)
        .await
        .expect("applied");
    tx.commit().await.expect("committed");
}
