//! Drills and duty in as few words as a test wants.

use chrono::{DateTime, Duration, Utc};
use kit::auth::Role;
use kit::clock::Clock;
use kit::field::to_timestamp;
use proto::roster::PolicyProfile;
use proto::safety as pb;
use proto::safety::drill_service_client::DrillServiceClient;
use proto::safety::duty_service_client::DutyServiceClient;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use uuid::Uuid;

use crate::city::tree::{self, DEPUTY, HEAD, TEACHER, WARDEN};
use crate::city::world::{World, told};
use crate::city::{SCHOOL, SCHOOL_PATH, roster, staff};

pub(crate) fn drills(world: &World) -> DrillServiceClient<Channel> {
    DrillServiceClient::new(world.channel.clone())
}

pub(crate) fn duty(world: &World) -> DutyServiceClient<Channel> {
    DutyServiceClient::new(world.channel.clone())
}

/// The whole city, by the policy that ships.
pub(crate) async fn settle(world: &World) {
    roster(&world.db, &tree::tree(), 2).await;
    hire(world).await;
    enact(world, 3, |_| {}).await;
}

/// Whom these tests put on shifts beside those of the tree work at the bureau.
pub(crate) async fn hire(world: &World) {
    let others: Vec<_> = (40..=200).map(|number| (number, "OFFICER")).collect();
    let others = tree::employees(tree::BUREAU_PATH, 2, &others);
    roster(&world.db, &[others], 2).await;
}

/// The shipped policy, changed, is in force since April.
pub(crate) async fn enact(world: &World, version: i64, change: impl FnOnce(&mut PolicyProfile)) {
    let policy = tree::enacted("", version, |policy| {
        policy.effective_date = Some(proto::Date {
            year: 2022,
            month: 4,
            day: 2,
        });
        change(policy);
    });
    roster(&world.db, &[policy], 2).await;
}

pub(crate) fn id() -> String {
    Uuid::new_v4().to_string()
}

pub(crate) fn later(world: &World, minutes: i64) -> Option<prost_types::Timestamp> {
    Some(to_timestamp(world.clock.now() + Duration::minutes(minutes)))
}

/// The deputy for safety of the school asks.
pub(crate) fn deputy<T>(world: &World, message: T) -> Request<T> {
    world.by(&staff(DEPUTY), Role::SafetyOfficer, SCHOOL_PATH, message)
}

/// Its head asks.
pub(crate) fn head<T>(world: &World, message: T) -> Request<T> {
    world.by(&staff(HEAD), Role::Principal, SCHOOL_PATH, message)
}

/// An officer of its district asks.
pub(crate) fn district<T>(world: &World, message: T) -> Request<T> {
    let officer = staff(tree::DISTRICT_DEPUTY);
    world.by(&officer, Role::DistrictOfficer, tree::BUREAU_PATH, message)
}

/// Somebody of the school who is on duty asks.
pub(crate) fn on_duty<T>(world: &World, person: u128, message: T) -> Request<T> {
    world.by(&staff(person), Role::Guard, SCHOOL_PATH, message)
}

/// The call was refused for `reason`, in Chinese.
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, reason: &str) {
    let (code, why, zh) = told(&answer.expect_err(reason));
    assert_eq!((code, &*why), (Code::FailedPrecondition, reason));
    let chinese = zh
        .chars()
        .any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
    assert!(chinese && !zh.contains('{'), "{zh}");
}

/// The call was refused for an argument.
pub(crate) fn invalid<T: std::fmt::Debug>(answer: Result<T, Status>, what: &str) {
    let (code, why, _) = told(&answer.expect_err(what));
    assert_eq!(
        (code, &*why),
        (Code::InvalidArgument, "INVALID_FIELD"),
        "{what}"
    );
}

/// The caller may not do this.
pub(crate) fn denied<T: std::fmt::Debug>(answer: Result<T, Status>, what: &str) {
    let (code, why, _) = told(&answer.expect_err(what));
    assert_eq!(
        (code, &*why),
        (Code::PermissionDenied, "SCOPE_DENIED"),
        "{what}"
    );
}

pub(crate) fn fire_drill(world: &World, parent: &str) -> pb::CreateDrillRequest {
    pb::CreateDrillRequest {
        parent: parent.to_owned(),
        drill: Some(pb::Drill {
            drill_type: pb::DrillType::Fire.into(),
            scenario: "实验楼三层起火".to_owned(),
            leader: staff(WARDEN),
            plan_time: later(world, 60),
            storeys: 4,
            routes: "东楼梯至操场".to_owned(),
            ..Default::default()
        }),
        request_id: id(),
    }
}

/// Plans a drill of the school.
pub(crate) async fn planned(world: &World, request: pb::CreateDrillRequest) -> pb::Drill {
    let created = drills(world).create_drill(deputy(world, request)).await;
    created.expect("planned").into_inner()
}

/// Plans, approves, announces and signals a drill of the school.
pub(crate) async fn running(world: &World, request: pb::CreateDrillRequest) -> pb::Drill {
    let name = planned(world, request).await.name;
    let mut client = drills(world);
    let approve = pb::ApproveDrillRequest {
        name: name.clone(),
        ..Default::default()
    };
    client
        .approve_drill(head(world, approve))
        .await
        .expect("approved");
    let announce = pb::AnnounceDrillRequest {
        name: name.clone(),
        ..Default::default()
    };
    client
        .announce_drill(deputy(world, announce))
        .await
        .expect("announced");
    let start = pb::StartDrillRequest {
        name,
        ..Default::default()
    };
    let started = client.start_drill(deputy(world, start)).await;
    started.expect("started").into_inner()
}

/// Notes that all are out.
pub(crate) async fn all_out(world: &World, name: &str) -> pb::Drill {
    let out = pb::RecordAllOutRequest {
        name: name.to_owned(),
        ..Default::default()
    };
    let out = drills(world).record_all_out(deputy(world, out)).await;
    out.expect("all out").into_inner()
}

/// A headcount in which nobody is missing.
pub(crate) fn everybody(drill: &pb::Drill) -> pb::RecordHeadcountRequest {
    let counts = drill
        .groups
        .iter()
        .map(|group| pb::record_headcount_request::Count {
            group: group.group.clone(),
            present_count: group.expected_count,
            missing: Vec::new(),
        });
    pb::RecordHeadcountRequest {
        name: drill.name.clone(),
        counts: counts.collect(),
        request_id: id(),
    }
}

pub(crate) fn ended(name: &str) -> pb::EndDrillRequest {
    pb::EndDrillRequest {
        name: name.to_owned(),
        ..Default::default()
    }
}

pub(crate) fn review(name: &str) -> pb::ReviewDrillRequest {
    pb::ReviewDrillRequest {
        name: name.to_owned(),
        score: 88,
        summary: "疏散有序".to_owned(),
        request_id: id(),
        ..Default::default()
    }
}

pub(crate) fn archive(name: &str) -> pb::ArchiveDrillRequest {
    pb::ArchiveDrillRequest {
        name: name.to_owned(),
        ..Default::default()
    }
}

/// Runs a drill of the school through to the archive; all are out at once.
pub(crate) async fn archived(world: &World, request: pb::CreateDrillRequest) -> pb::Drill {
    archived_after(world, request, Duration::zero()).await
}

/// Runs a drill of the school, in which all are out after so long, through to the archive.
pub(crate) async fn archived_after(
    world: &World,
    request: pb::CreateDrillRequest,
    took: Duration,
) -> pb::Drill {
    let drill = running(world, request).await;
    world.clock.advance(took);
    let name = all_out(world, &drill.name).await.name;
    let mut client = drills(world);
    let counts = deputy(world, everybody(&drill));
    client.record_headcount(counts).await.expect("counted");
    client
        .end_drill(deputy(world, ended(&name)))
        .await
        .expect("ended");
    client
        .review_drill(head(world, review(&name)))
        .await
        .expect("reviewed");
    let archived = client.archive_drill(head(world, archive(&name))).await;
    archived.expect("archived").into_inner()
}

/// The telephone of the watch.
pub(crate) const PHONE: &str = "0591-83850000";

/// A shift of the school from one hour to another after 08:00 on 7 April.
pub(crate) fn shift(from: i64, to: i64, leader: u128, others: [u128; 2]) -> pb::duty_roster::Shift {
    pb::duty_roster::Shift {
        start_time: Some(to_timestamp(hour(from))),
        end_time: Some(to_timestamp(hour(to))),
        leader: staff(leader),
        staff: others.map(staff).to_vec(),
        posts: vec![pb::DutyPost {
            post: "GUARD".to_owned(),
            staff_member: staff(100 + leader),
        }],
        phone: PHONE.to_owned(),
    }
}

/// So many hours after 08:00 on 7 April.
pub(crate) fn hour(hours: i64) -> DateTime<Utc> {
    let start: DateTime<Utc> = "2022-04-07T00:00:00Z".parse().expect("an instant");
    start + Duration::hours(hours)
}

/// Two days of the school in two shifts.
pub(crate) fn two_days() -> pb::DutyRoster {
    pb::DutyRoster {
        start_time: Some(to_timestamp(hour(0))),
        end_time: Some(to_timestamp(hour(48))),
        shifts: vec![
            shift(0, 24, DEPUTY, [WARDEN, 61]),
            shift(24, 48, TEACHER, [62, 63]),
        ],
        ..Default::default()
    }
}

/// Drafts a roster of the school.
pub(crate) async fn drafted(world: &World, duty_roster: pb::DutyRoster) -> pb::DutyRoster {
    let create = pb::CreateDutyRosterRequest {
        parent: SCHOOL.to_owned(),
        duty_roster: Some(duty_roster),
        request_id: id(),
    };
    let drafted = duty(world).create_duty_roster(deputy(world, create)).await;
    drafted.expect("drafted").into_inner()
}

pub(crate) fn publish(name: &str) -> pb::PublishDutyRosterRequest {
    pb::PublishDutyRosterRequest {
        name: name.to_owned(),
        request_id: id(),
    }
}

/// The shifts of the school after its two days were published, the first begin first.
pub(crate) async fn published(world: &World) -> Vec<pb::DutyShift> {
    let name = drafted(world, two_days()).await.name;
    let mut client = duty(world);
    let publish = head(world, publish(&name));
    client
        .publish_duty_roster(publish)
        .await
        .expect("published");
    shifts(world).await
}

/// The shifts of the school, the first begin first.
pub(crate) async fn shifts(world: &World) -> Vec<pb::DutyShift> {
    let list = pb::ListDutyShiftsRequest {
        parent: SCHOOL.to_owned(),
        ..Default::default()
    };
    let listed = duty(world).list_duty_shifts(head(world, list)).await;
    let mut shifts = listed.expect("listed").into_inner().duty_shifts;
    shifts.reverse();
    shifts
}

pub(crate) async fn read_shift(world: &World, name: &str) -> pb::DutyShift {
    let get = pb::GetDutyShiftRequest {
        name: name.to_owned(),
    };
    let read = duty(world).get_duty_shift(head(world, get)).await;
    read.expect("read").into_inner()
}

pub(crate) fn check_in(name: &str) -> pb::CheckInDutyShiftRequest {
    pb::CheckInDutyShiftRequest {
        name: name.to_owned(),
        request_id: id(),
    }
}

/// The steps of a history.
pub(crate) fn steps(history: &[pb::StateMove]) -> Vec<&str> {
    history.iter().map(|one| &*one.step).collect()
}
