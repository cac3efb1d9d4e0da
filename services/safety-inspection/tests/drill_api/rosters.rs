//! Rosters: drafted, generated, published without a gap.

use kit::auth::Role;
use kit::field::to_timestamp;
use proto::safety as pb;
use proto::safety::duty_roster::State;
use tonic_types::StatusExt;

use crate::city::tree::{self, DEPUTY, SISTER, SISTER_PATH, TEACHER, WARDEN};
use crate::city::world::World;
use crate::city::{SCHOOL, on_both, roster, staff, student};
use crate::ground::{
    PHONE, deputy, drafted, duty, head, hour, id, invalid, publish, published, refused, settle,
    shift, shifts, steps, two_days,
};

on_both!(
    a_gap_is_named_and_nothing_is_published,
    too_few_people_empty_posts_and_two_shifts_at_once_are_refused,
    what_is_published_is_scheduled_and_stays,
    a_roster_is_generated_by_the_season,
    malformed_rosters_are_explained,
    a_hole_between_two_rosters_is_warned_of,
    nobody_is_on_the_rosters_of_two_schools_at_once,
    nobody_unknown_is_on_a_roster,
);

async fn publishing(world: &World, roster: pb::DutyRoster) -> Result<(), tonic::Status> {
    let name = drafted(world, roster).await.name;
    let mut client = duty(world);
    client
        .publish_duty_roster(head(world, publish(&name)))
        .await
        .map(|_| ())
}

async fn a_gap_is_named_and_nothing_is_published(world: World) {
    settle(&world).await;
    let mut gap = two_days();
    gap.shifts[1].start_time = Some(to_timestamp(hour(25)));
    let status = publishing(&world, gap.clone()).await.expect_err("a gap");
    let info = status.get_details_error_info().expect("a reason");
    assert_eq!(info.reason, "DUTY_GAP");
    assert_eq!(info.metadata["start_time"], "2022-04-08T08:00:00+08:00");
    assert_eq!(info.metadata["end_time"], "2022-04-08T09:00:00+08:00");
    refused(publishing(&world, gap).await, "DUTY_GAP");
    assert_eq!(shifts(&world).await, []);
}

async fn too_few_people_empty_posts_and_two_shifts_at_once_are_refused(world: World) {
    settle(&world).await;
    let with = |change: fn(&mut pb::DutyRoster)| {
        let mut roster = two_days();
        change(&mut roster);
        roster
    };
    let few = with(|roster| drop(roster.shifts[1].staff.pop()));
    refused(publishing(&world, few).await, "DUTY_TOO_FEW");
    let post = with(|roster| roster.shifts[0].posts.clear());
    refused(publishing(&world, post).await, "DUTY_KEY_POST");
    let clash = with(|roster| {
        let mut third = roster.shifts[1].clone();
        third.start_time = Some(to_timestamp(hour(30)));
        roster.shifts.push(third);
    });
    refused(publishing(&world, clash).await, "DUTY_OVERLAP");
    assert_eq!(shifts(&world).await, []);
}

async fn what_is_published_is_scheduled_and_stays(world: World) {
    settle(&world).await;
    let scheduled = published(&world).await;
    assert_eq!(scheduled.len(), 2);
    let leaders: Vec<_> = scheduled.iter().map(|one| one.leader.clone()).collect();
    assert_eq!(leaders, [staff(DEPUTY), staff(TEACHER)]);
    let due = hour(0) + chrono::Duration::minutes(15);
    assert_eq!(scheduled[0].check_in_due_time, Some(to_timestamp(due)));

    let mut client = duty(&world);
    let name = scheduled[0].roster.clone();
    let get = pb::GetDutyRosterRequest { name: name.clone() };
    let roster = client
        .get_duty_roster(head(&world, get))
        .await
        .expect("read")
        .into_inner();
    assert_eq!((roster.state(), roster.shifts.len()), (State::Published, 2));
    assert_eq!(steps(&roster.history), ["CREATE", "PUBLISH"]);
    refused(
        client
            .publish_duty_roster(head(&world, publish(&name)))
            .await,
        "DUTY_STATE",
    );
    let update = pb::UpdateDutyRosterRequest {
        duty_roster: Some(pb::DutyRoster { name, ..two_days() }),
        request_id: id(),
    };
    refused(
        client.update_duty_roster(deputy(&world, update)).await,
        "DUTY_STATE",
    );
    // The same days again, by others.
    let mut again = two_days();
    again.shifts[0] = shift(0, 24, 71, [72, 73]);
    refused(publishing(&world, again).await, "DUTY_ROSTER_OVERLAP");
    assert_eq!(shifts(&world).await, scheduled);

    let list = pb::ListDutyRostersRequest {
        parent: SCHOOL.to_owned(),
        state: State::Published.into(),
        ..Default::default()
    };
    let listed = client
        .list_duty_rosters(head(&world, list))
        .await
        .expect("listed");
    assert_eq!(listed.into_inner().duty_rosters.len(), 1);
}

async fn a_roster_is_generated_by_the_season(world: World) {
    settle(&world).await;
    let mut client = duty(&world);
    let date = |day| {
        Some(proto::Date {
            year: 2022,
            month: 4,
            day,
        })
    };
    let team = |leader: u128, others: [u128; 2]| {
        let shift = shift(0, 1, leader, others);
        pb::generate_duty_roster_request::Team {
            leader: shift.leader,
            staff: shift.staff,
            posts: shift.posts,
        }
    };
    // The flood season of the policy begins on 15 April.
    let generate = pb::GenerateDutyRosterRequest {
        parent: SCHOOL.to_owned(),
        start_date: date(13),
        end_date: date(16),
        teams: vec![
            team(DEPUTY, [61, 62]),
            team(TEACHER, [63, 64]),
            team(WARDEN, [65, 66]),
        ],
        phone: PHONE.to_owned(),
        request_id: id(),
    };
    let silent = pb::GenerateDutyRosterRequest {
        phone: String::new(),
        request_id: id(),
        ..generate.clone()
    };
    let silent = client.generate_duty_roster(deputy(&world, silent)).await;
    invalid(silent, "nobody could be called");
    let drafted = client.generate_duty_roster(deputy(&world, generate)).await;
    let drafted = drafted.expect("drafted").into_inner();
    assert!(drafted.shifts.iter().all(|shift| shift.phone == PHONE));
    let hours: Vec<i64> = drafted
        .shifts
        .iter()
        .filter_map(|one| Some(one.end_time?.seconds - one.start_time?.seconds))
        .map(|seconds| seconds / 3600)
        .collect();
    assert_eq!(hours, [24, 24, 12, 12, 12, 12]);
    let publish = head(&world, publish(&drafted.name));
    client
        .publish_duty_roster(publish)
        .await
        .expect("published");

    for (day, code, rounds) in [(14, "ORDINARY", 480), (15, "FLOOD_SEASON", 1440)] {
        let get = pb::GetDutyTemplateRequest {
            name: format!("{SCHOOL}/dutyTemplate"),
            date: date(day),
        };
        let template = client
            .get_duty_template(head(&world, get))
            .await
            .expect("read");
        let template = template.into_inner();
        assert_eq!((&*template.code, template.patrol_minutes), (code, rounds));
    }
}

async fn malformed_rosters_are_explained(world: World) {
    settle(&world).await;
    let mut client = duty(&world);
    type Change = fn(&mut pb::DutyRoster);
    let changes: [(&str, Change); 9] = [
        ("no span", |roster| roster.end_time = None),
        ("a span of no time", |roster| {
            roster.end_time = roster.start_time
        }),
        ("a shift outside", |roster| {
            roster.shifts[0].start_time = Some(to_timestamp(hour(-1)));
        }),
        ("a shift of two days", |roster| {
            roster.shifts[0].end_time = Some(to_timestamp(hour(48)));
        }),
        ("a leader who learns", |roster| {
            roster.shifts[0].leader = student(1)
        }),
        ("somebody twice", |roster| {
            roster.shifts[0].staff[1] = roster.shifts[0].staff[0].clone();
        }),
        ("a post that is none", |roster| {
            roster.shifts[0].posts[0].post = "UNSPECIFIED".to_owned();
        }),
        ("a shift that cannot be called", |roster| {
            roster.shifts[0].phone = String::new();
        }),
        ("a number that is none", |roster| {
            roster.shifts[0].phone = "值班室".to_owned();
        }),
    ];
    for (what, change) in changes {
        let mut roster = two_days();
        change(&mut roster);
        let create = pb::CreateDutyRosterRequest {
            parent: SCHOOL.to_owned(),
            duty_roster: Some(roster),
            request_id: id(),
        };
        invalid(
            client.create_duty_roster(deputy(&world, create)).await,
            what,
        );
    }
}

/// A roster of one shift.
fn one_shift(from: i64, to: i64, leader: u128, others: [u128; 2]) -> pb::DutyRoster {
    pb::DutyRoster {
        start_time: Some(to_timestamp(hour(from))),
        end_time: Some(to_timestamp(hour(to))),
        shifts: vec![shift(from, to, leader, others)],
        ..Default::default()
    }
}

async fn a_hole_between_two_rosters_is_warned_of(world: World) {
    settle(&world).await;
    let first = published(&world).await[0].roster.clone();
    let adjacent = drafted(&world, one_shift(48, 60, 71, [72, 73])).await;
    assert_eq!(adjacent.adjacent_gaps, []);
    let mut client = duty(&world);
    let later = drafted(&world, one_shift(72, 96, 71, [72, 73])).await;
    let ask = head(&world, publish(&later.name));
    let answer = client.publish_duty_roster(ask).await.expect("published");
    let hole = pb::Round {
        start_time: Some(to_timestamp(hour(48))),
        end_time: Some(to_timestamp(hour(72))),
    };
    assert_eq!(answer.into_inner().adjacent_gaps, [hole]);
    let mut gaps = async |name: &str| {
        let get = pb::GetDutyRosterRequest {
            name: name.to_owned(),
        };
        let read = client.get_duty_roster(head(&world, get)).await;
        read.expect("read").into_inner().adjacent_gaps
    };
    assert_eq!(gaps(&first).await, [hole]);
    // The roster between them would fill it but for twelve hours.
    let rest = pb::Round {
        start_time: Some(to_timestamp(hour(60))),
        ..hole
    };
    assert_eq!(gaps(&adjacent.name).await, [rest]);
}

async fn nobody_is_on_the_rosters_of_two_schools_at_once(world: World) {
    settle(&world).await;
    published(&world).await;
    let mut client = duty(&world);
    let sister = |message: pb::CreateDutyRosterRequest| {
        world.by("deputy", Role::SafetyOfficer, SISTER_PATH, message)
    };
    let mut publishing = async |from: i64, others: [u128; 2]| {
        let create = pb::CreateDutyRosterRequest {
            parent: SISTER.to_owned(),
            duty_roster: Some(one_shift(from, from + 12, 71, others)),
            request_id: id(),
        };
        let drafted = client.create_duty_roster(sister(create)).await;
        let name = drafted.expect("drafted").into_inner().name;
        let ask = world.by("head", Role::Principal, SISTER_PATH, publish(&name));
        client.publish_duty_roster(ask).await
    };
    // On the first day the warden is on duty at the first school.
    refused(publishing(12, [WARDEN, 72]).await, "DUTY_OVERLAP");
    publishing(24, [WARDEN, 72]).await.expect("the day after");
}

async fn nobody_unknown_is_on_a_roster(world: World) {
    settle(&world).await;
    let with = |person: String| {
        let mut roster = two_days();
        roster.shifts[1].staff[0] = person;
        roster
    };
    let status = publishing(&world, with(staff(999))).await;
    let status = status.expect_err("nobody knows them");
    let info = status.get_details_error_info().expect("a reason");
    assert_eq!(info.reason, "STAFF_MEMBER_UNKNOWN");
    assert_eq!(info.metadata["name"], staff(999));
    assert_eq!(shifts(&world).await, []);
    // As soon as the register tells of them, they may be.
    let hired = tree::employees(SISTER_PATH, 3, &[(999, "TEACHER")]);
    roster(&world.db, &[hired], 2).await;
    publishing(&world, with(staff(999)))
        .await
        .expect("published");
}
