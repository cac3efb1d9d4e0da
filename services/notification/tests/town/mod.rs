//! A small invented town: a bureau with two schools, another bureau with one, and their holds.
#![allow(dead_code, reason = "each test binary uses a part")]

pub(crate) mod april_evening;
pub(crate) mod cap;
pub(crate) mod centre;
pub(crate) mod classes;
pub(crate) mod clerks;
pub(crate) mod counsellors;
pub(crate) mod desk;
pub(crate) mod doctors;
pub(crate) mod examples;
pub(crate) mod inboxes;
pub(crate) mod inspected;
pub(crate) mod letters;
pub(crate) mod listener;
pub(crate) mod neighbours;
pub(crate) mod officers;
pub(crate) mod people;
pub(crate) mod post;
pub(crate) mod provision;
pub(crate) mod safe;
pub(crate) mod scan;
pub(crate) mod venue;
pub(crate) mod voices;
pub(crate) mod ways;
pub(crate) mod world;

pub(crate) use world::on_both;

use chrono::{DateTime, Utc};
use kit::clock::ManualClock;
use kit::db::Database;
use kit::projection::Projection;
use notification::domain::party::Party;
use notification::store::Store;
use notification::{RosterProjection, SamplingProjection};
use proto::roster as pb;
use proto::roster::roster_event::State;
use proto::sampling as spb;
use uuid::Uuid;

pub(crate) const CITY: &str = "organizations/fz";
pub(crate) const BUREAU: &str = "organizations/350102";
pub(crate) const BUREAU_PATH: &str = "fz/350102";
pub(crate) const SCHOOL: &str = "organizations/2135010001";
pub(crate) const SCHOOL_PATH: &str = "fz/350102/2135010001";
pub(crate) const SISTER: &str = "organizations/2135010003";
pub(crate) const SISTER_PATH: &str = "fz/350102/2135010003";
pub(crate) const OTHER: &str = "organizations/2135010002";
pub(crate) const OTHER_PATH: &str = "fz/350103/2135010002";

/// Half past nine in the city, when holds are placed here.
pub(crate) fn morning() -> DateTime<Utc> {
    "2022-04-06T01:30:00Z".parse().expect("an instant")
}

/// All guardians of a pupil.
pub(crate) fn family(number: u128) -> String {
    format!("{}/guardians/-", student(number))
}

/// One guardian of a pupil.
pub(crate) fn guardian(number: u128, which: u128) -> String {
    format!(
        "{}/guardians/{}",
        student(number),
        Uuid::from_u128(which).hyphenated()
    )
}

/// The kind and the bytes of a party, as the tables have them.
pub(crate) fn key(party: &str) -> (i16, Vec<u8>) {
    match Party::parse(party).expect("a party") {
        Party::Family(id) => (1, id.as_bytes().to_vec()),
        Party::Staff(id) => (2, id.as_bytes().to_vec()),
        Party::Organization(id) => (3, id.into_bytes()),
        Party::Student(id) => (6, id.as_bytes().to_vec()),
        Party::Guardian(student, id) => (7, [*student.as_bytes(), *id.as_bytes()].concat()),
    }
}

pub(crate) fn student(number: u128) -> String {
    format!("students/{}", Uuid::from_u128(number).hyphenated())
}

pub(crate) fn staff(number: u128) -> String {
    format!("staff/{}", Uuid::from_u128(number).hyphenated())
}

fn event(entity: &str, path: &str, version: i64, state: State) -> pb::RosterEvent {
    pb::RosterEvent {
        entity: entity.to_owned(),
        version,
        org_path: path.to_owned(),
        removed: false,
        state: Some(state),
    }
}

pub(crate) fn organization(path: &str, kind: pb::organization::Kind) -> pb::RosterEvent {
    let name = format!(
        "organizations/{}",
        path.rsplit('/').next().unwrap_or_default()
    );
    let organization = pb::Organization {
        name: name.clone(),
        org_path: path.to_owned(),
        kind: kind.into(),
        ..Default::default()
    };
    event(&name, path, 1, State::Organization(organization))
}

/// Who answers for epidemic control at the organisation at `path`: for a part of it first, to be
/// passed over, then for all of it.
pub(crate) fn duties(path: &str, version: i64, owner: &str) -> pb::RosterEvent {
    let name = format!(
        "organizations/{}",
        path.rsplit('/').next().unwrap_or_default()
    );
    let duty = |subject: &str, staff_member: &str, place: &str| pb::ResponsibilityDuty {
        subject: subject.to_owned(),
        staff_member: staff_member.to_owned(),
        place: place.to_owned(),
    };
    let roll = pb::ResponsibilityRoll {
        organization: name.clone(),
        duties: vec![
            duty("FIRE", &staff(90), ""),
            duty("EPIDEMIC_CONTROL", &staff(91), "食堂"),
            duty("EPIDEMIC_CONTROL", owner, ""),
        ],
    };
    let entity = format!("{name}/responsibilityRoll");
    event(&entity, path, version, State::ResponsibilityRoll(roll))
}

/// The policy of the city, with the minutes in which a hold must be noticed.
pub(crate) fn policy(version: i64, minutes: i64) -> pb::RosterEvent {
    policy_of(version, minutes, 0)
}

/// The same, with the share of schools that makes a district done, in percent; 0 for the default.
pub(crate) fn policy_of(version: i64, minutes: i64, done_percent: i32) -> pb::RosterEvent {
    use pb::directive_policy::{Ack, Urgency};
    let span = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
    let ack = |urgency: Urgency, seconds| Ack {
        urgency: urgency.into(),
        sla: span(seconds),
        ..Default::default()
    };
    let profile = pb::PolicyProfile {
        name: "policyProfiles/fuzhou-2022-04-1".to_owned(),
        policy_version: format!("fuzhou-2022-04@{version}"),
        effective_date: Some(proto::Date {
            year: 2022,
            month: 4,
            day: 1,
        }),
        tube: Some(pb::TubePolicy {
            positive_notify: span(minutes * 60),
            ..Default::default()
        }),
        directive: Some(pb::DirectivePolicy {
            acks: vec![
                ack(Urgency::Ordinary, 86_400),
                ack(Urgency::Urgent, 7_200),
                ack(Urgency::MostUrgent, 1_800),
            ],
            done_percent,
        }),
        ..Default::default()
    };
    let name = profile.name.clone();
    event(&name, "", version, State::PolicyProfile(profile))
}

/// The register of the town.
pub(crate) fn town() -> Vec<pb::RosterEvent> {
    use pb::organization::Kind;
    vec![
        organization("fz", Kind::CityBureau),
        organization(BUREAU_PATH, Kind::CountyBureau),
        organization("fz/350103", Kind::CountyBureau),
        organization(SCHOOL_PATH, Kind::School),
        organization(SISTER_PATH, Kind::School),
        organization(OTHER_PATH, Kind::School),
        organization("fz/lab-1", Kind::Laboratory),
        duties(SCHOOL_PATH, 1, &staff(1)),
        policy(1, 10),
    ]
}

/// A hold over the nine people of tube `code` at the school at `path`.
pub(crate) fn hold(
    path: &str,
    code: &str,
    version: i64,
    state: spb::hold::State,
) -> spb::SamplingEvent {
    let school = path.rsplit('/').next().unwrap_or_default();
    let hold = spb::Hold {
        name: format!("holds/{code}"),
        tube: format!("tubes/{code}"),
        state: state.into(),
        org_path: format!("{path}/p2019-01"),
        class_group: format!("organizations/{school}/classGroups/p2019-01"),
        members: (1..=9).map(student).collect(),
        start_time: Some(kit::field::to_timestamp(morning())),
        policy_version: "fuzhou-2022-04@1".to_owned(),
        ..Default::default()
    };
    spb::SamplingEvent {
        entity: hold.name.clone(),
        version,
        org_path: hold.org_path.clone(),
        removed: false,
        state: Some(spb::sampling_event::State::Hold(hold)),
    }
}

pub(crate) fn placed(path: &str, code: &str, version: i64) -> spb::SamplingEvent {
    hold(path, code, version, spb::hold::State::Active)
}

/// As sampling tells a release: the entity is removed, without a state.
pub(crate) fn released(path: &str, code: &str, version: i64) -> spb::SamplingEvent {
    spb::SamplingEvent {
        removed: true,
        state: None,
        ..placed(path, code, version)
    }
}

pub(crate) fn register(db: &Database) -> RosterProjection {
    let clock = std::sync::Arc::new(ManualClock::at(morning()));
    RosterProjection::new(Store::new(db.clone()), clock, std::sync::Arc::default())
}

pub(crate) async fn roster(db: &Database, events: &[pb::RosterEvent], generation: i64) {
    let projection = register(db);
    let tx = db.begin().await.expect("a transaction");
    projection
        .apply(&tx, events, generation)
        .await
        .expect("applied");
    tx.commit().await.expect("committed");
}

pub(crate) fn facts(clock: &ManualClock) -> SamplingProjection {
    SamplingProjection::new(
        std::sync::Arc::new(clock.clone()),
        std::sync::Arc::default(),
    )
}

pub(crate) async fn sampling(
    db: &Database,
    clock: &ManualClock,
    events: &[spb::SamplingEvent],
    generation: i64,
) {
    let tx = db.begin().await.expect("a transaction");
    facts(clock)
        .apply(&tx, events, generation)
        .await
        .expect("applied");
    tx.commit().await.expect("committed");
}
