//! The duty watch in the feed: times without a roster, now or soon, and rounds that nobody made.

use kit::auth::Role;
use kit::field::to_timestamp;
use proto::safety as pb;
use proto::safety::accountability_record::Act;
use proto::safety::accountability_service_client::AccountabilityServiceClient;
use proto::safety::duty_standing::State as Watch;
use proto::safety::safety_event::State;

use crate::city::tree::{BUREAU_PATH, CITY_PATH, DEPUTY, TEACHER, WARDEN};
use crate::city::world::{World, on_both};
use crate::city::{SCHOOL, SCHOOL_PATH, staff};
use crate::follower::{listen, settled, standing};
use crate::ground;
use crate::recount::{holds, kept};

on_both!(
    a_hole_between_two_rosters_is_told_until_it_is_filled,
    rounds_that_nobody_made_are_counted_and_owed,
);

/// How the duty of the first school stands in the snapshot.
async fn watched(world: &World) -> pb::DutyStanding {
    settled(world).await;
    let (events, _) = standing(world, Role::Service, "").await.expect("read");
    let found = events.into_iter().find_map(|event| match event.state {
        Some(State::DutyStanding(standing)) if standing.organization == SCHOOL => Some(standing),
        _ => None,
    });
    found.expect("the duty of the school")
}

/// Publishes one more shift of the school, from one hour to another.
async fn publish(world: &World, from: i64, to: i64) {
    let roster = pb::DutyRoster {
        start_time: Some(to_timestamp(ground::hour(from))),
        end_time: Some(to_timestamp(ground::hour(to))),
        shifts: vec![ground::shift(from, to, 71, [72, 73])],
        ..Default::default()
    };
    let name = ground::drafted(world, roster).await.name;
    let ask = ground::head(world, ground::publish(&name));
    let published = ground::duty(world).publish_duty_roster(ask).await;
    published.expect("published");
}

fn hole(standing: &pb::DutyStanding) -> [Option<prost_types::Timestamp>; 2] {
    [standing.gap_start_time, standing.gap_end_time]
}

async fn a_hole_between_two_rosters_is_told_until_it_is_filled(world: World) {
    let at = |hour| Some(to_timestamp(ground::hour(hour)));
    ground::settle(&world).await;
    ground::published(&world).await;
    // Before the first roster nobody is on duty, and nobody ever was.
    let before = watched(&world).await;
    assert_eq!((before.state(), hole(&before)), (Watch::Gap, [None, at(0)]));
    world.clock.set(ground::hour(0));
    let first = watched(&world).await;
    assert_eq!(
        (first.state(), hole(&first)),
        (Watch::Awaited, [None, None])
    );
    let mut follower = listen(&world).await;
    publish(&world, 72, 96).await;
    let told = follower.first(|state| match state {
        State::DutyStanding(standing) => Some(standing.clone()),
        _ => None,
    });
    let told = told.await;
    assert_eq!(
        (told.state(), hole(&told)),
        (Watch::Awaited, [at(48), at(72)])
    );
    assert_eq!(
        hole(&watched(&world).await),
        [at(48), at(72)],
        "and in a snapshot"
    );
    assert!(
        told.leader.is_empty() && told.phone.is_empty(),
        "nobody is named"
    );
    publish(&world, 48, 72).await;
    assert_eq!(hole(&watched(&world).await), [None, None]);
    world.clock.set(ground::hour(97));
    let after = watched(&world).await;
    assert_eq!((after.state(), hole(&after)), (Watch::Gap, [at(96), None]));
}

/// Who was told at the school that rounds of a day were not made.
async fn owed(world: &World) -> Vec<(String, String)> {
    let list = pb::ListAccountabilityRecordsRequest {
        parent: SCHOOL.to_owned(),
        page_size: 1000,
        ..Default::default()
    };
    let mut client = AccountabilityServiceClient::new(world.channel.clone());
    let list = ground::district(world, list);
    let listed = client.list_accountability_records(list).await;
    let records = listed.expect("listed").into_inner().accountability_records;
    let records = records.into_iter().rev();
    let of = records.filter(|one| one.resource.contains("/patrolDays/"));
    let of = of.inspect(|one| assert_eq!(one.act(), Act::NotDone));
    of.map(|one| (one.resource, one.staff_member)).collect()
}

async fn rounds_that_nobody_made_are_counted_and_owed(world: World) {
    ground::settle(&world).await;
    let shifts = ground::published(&world).await;
    world.clock.set(ground::hour(0));
    let came = ground::on_duty(&world, DEPUTY, ground::check_in(&shifts[0].name));
    let mut client = ground::duty(&world);
    client.check_in_duty_shift(came).await.expect("there");
    // Four rounds from 22:00 to 06:00, of which the first is made.
    world.clock.set(ground::hour(15));
    let patrol = pb::RecordPatrolRequest {
        shift: shifts[0].name.clone(),
        point: "gate".to_owned(),
        request_id: ground::id(),
    };
    let patrol = ground::on_duty(&world, WARDEN, patrol);
    client.record_patrol(patrol).await.expect("passed");
    assert_eq!(watched(&world).await.missed_round_count, 0);
    world.clock.set(ground::hour(18));
    assert_eq!(watched(&world).await.missed_round_count, 1);
    world.clock.set(ground::hour(23));
    assert_eq!(watched(&world).await.missed_round_count, 3);
    let day = |day: &str| format!("{SCHOOL}/patrolDays/{day}");
    let seventh = (day("2022-04-07"), staff(DEPUTY));
    // The second and third were seen together.
    assert_eq!(owed(&world).await, [seventh.clone(), seventh.clone()]);
    for path in [SCHOOL_PATH, BUREAU_PATH, CITY_PATH] {
        let duty = kept(&world, path).await.duty.expect("duty");
        assert_eq!(duty.missed_round_count, 3, "{path}");
        holds(&world, path).await;
    }
    // The next night nobody comes. The morning after, the night before that is no longer counted.
    world.clock.set(ground::hour(50));
    assert_eq!(watched(&world).await.missed_round_count, 4);
    let eighth = (day("2022-04-08"), staff(TEACHER));
    assert_eq!(owed(&world).await, [seventh.clone(), seventh, eighth]);
    holds(&world, CITY_PATH).await;
    world.clock.set(ground::hour(74));
    assert_eq!(
        watched(&world).await.missed_round_count,
        0,
        "nobody was on duty"
    );
    holds(&world, CITY_PATH).await;
}
