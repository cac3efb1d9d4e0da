//! Shifts: checked in, alerted, replaced, handed over, patrolled.

use std::time::Duration;

use proto::safety as pb;
use proto::safety::duty_shift::State;
use proto::safety::{duty_standing, patrol_day};

use crate::city::tree::{BUREAU, DEPUTY, HEAD, TEACHER, WARDEN};
use crate::city::world::{World, serve};
use crate::city::{SCHOOL, on_both, staff};
use crate::ground::{
    check_in, district, duty, head, hour, id, on_duty, published, read_shift, refused, settle,
    steps,
};

on_both!(
    a_shift_is_handed_over_in_writing,
    nobody_in_time_is_an_alert_exactly_once_under_two_replicas,
    others_are_sent_to_a_shift_in_alert,
    missed_rounds_and_patrols_are_seen,
    what_was_not_done_is_told_and_written_down,
    gaps_of_the_tree_are_listed,
);

fn take_over(name: &str) -> pb::TakeOverDutyShiftRequest {
    pb::TakeOverDutyShiftRequest {
        name: name.to_owned(),
        request_id: id(),
    }
}

fn handover(name: &str) -> pb::WriteHandoverRequest {
    pb::WriteHandoverRequest {
        name: name.to_owned(),
        summary: "夜间无异常".to_owned(),
        open_items: vec!["东门照明待修".to_owned()],
        request_id: id(),
    }
}

async fn a_shift_is_handed_over_in_writing(world: World) {
    settle(&world).await;
    let scheduled = published(&world).await;
    let (first, second) = (&scheduled[0].name, &scheduled[1].name);
    let mut client = duty(&world);
    // An hour before at the earliest: now it is the day before.
    let early = client
        .check_in_duty_shift(on_duty(&world, DEPUTY, check_in(first)))
        .await;
    refused(early, "DUTY_TIME");
    let write = on_duty(&world, DEPUTY, handover(first));
    refused(client.write_handover(write).await, "DUTY_STATE");

    world.clock.set(hour(0) + chrono::Duration::minutes(15));
    let stranger = client
        .check_in_duty_shift(on_duty(&world, HEAD, check_in(first)))
        .await;
    refused(stranger, "DUTY_PERSON");
    let arrived = client
        .check_in_duty_shift(on_duty(&world, WARDEN, check_in(first)))
        .await;
    assert_eq!(
        arrived.expect("arrived").into_inner().state(),
        State::Scheduled
    );
    let came = client
        .check_in_duty_shift(on_duty(&world, DEPUTY, check_in(first)))
        .await;
    let came = came.expect("checked in").into_inner();
    assert_eq!((came.state(), came.arrivals.len()), (State::OnDuty, 2));

    world.clock.set(hour(24) + chrono::Duration::minutes(5));
    assert!(read_shift(&world, first).await.handover_overdue);
    let next = on_duty(&world, TEACHER, take_over(first));
    refused(client.take_over_duty_shift(next).await, "DUTY_HANDOVER");
    let write = on_duty(&world, DEPUTY, handover(first));
    client.write_handover(write).await.expect("written");
    let other = on_duty(&world, WARDEN, take_over(first));
    refused(client.take_over_duty_shift(other).await, "DUTY_PERSON");
    let came = on_duty(&world, TEACHER, check_in(second));
    client.check_in_duty_shift(came).await.expect("checked in");
    let next = on_duty(&world, TEACHER, take_over(first));
    let over = client
        .take_over_duty_shift(next)
        .await
        .expect("taken over")
        .into_inner();
    assert_eq!(
        (over.state(), over.handover_overdue),
        (State::HandedOver, false)
    );
    let noted = over.handover.expect("a handover");
    assert_eq!(
        (noted.successor, noted.open_items.len()),
        (staff(TEACHER), 1)
    );
    let expected = [
        "PUBLISH",
        "ARRIVE",
        "CHECK_IN",
        "WRITE_HANDOVER",
        "TAKE_OVER",
    ];
    assert_eq!(steps(&over.history), expected);
}

/// Waits until the shift is in a state, at most ten seconds.
async fn until(world: &World, name: &str, state: State) -> pb::DutyShift {
    for _ in 0..200 {
        let shift = read_shift(world, name).await;
        if shift.state() == state {
            return shift;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the shift never was {state:?}");
}

async fn nobody_in_time_is_an_alert_exactly_once_under_two_replicas(world: World) {
    settle(&world).await;
    let (_, _second) = serve(&world.scratch, &world.clock).await;
    let scheduled = published(&world).await;
    world.clock.set(hour(0) + chrono::Duration::minutes(14));
    assert_eq!(
        read_shift(&world, &scheduled[0].name).await.state(),
        State::Scheduled
    );
    for (shift, hours) in scheduled.iter().zip([0, 24]) {
        world.clock.set(hour(hours) + chrono::Duration::minutes(16));
        until(&world, &shift.name, State::Alert).await;
    }
    // Both have looked at the first one again while they waited for the second.
    for shift in &scheduled {
        let shift = read_shift(&world, &shift.name).await;
        assert_eq!(steps(&shift.history), ["PUBLISH", "RAISE_ALERT"]);
        assert_eq!(shift.history[1].actor, "service");
    }
    let late = on_duty(&world, TEACHER, check_in(&scheduled[1].name));
    refused(duty(&world).check_in_duty_shift(late).await, "DUTY_STATE");
}

async fn others_are_sent_to_a_shift_in_alert(world: World) {
    settle(&world).await;
    let scheduled = published(&world).await;
    let replace = pb::ReplaceDutyShiftRequest {
        name: scheduled[0].name.clone(),
        leader: staff(HEAD),
        staff: vec![staff(81), staff(82)],
        reason: "带班领导未到岗".to_owned(),
        request_id: id(),
    };
    let mut client = duty(&world);
    let early = client
        .replace_duty_shift(head(&world, replace.clone()))
        .await;
    refused(early, "DUTY_STATE");
    world.clock.set(hour(0) + chrono::Duration::minutes(20));
    until(&world, &scheduled[0].name, State::Alert).await;
    let unknown = pb::ReplaceDutyShiftRequest {
        staff: vec![staff(81), staff(999)],
        request_id: id(),
        ..replace.clone()
    };
    refused(
        client.replace_duty_shift(head(&world, unknown)).await,
        "STAFF_MEMBER_UNKNOWN",
    );
    let few = pb::ReplaceDutyShiftRequest {
        staff: vec![staff(81)],
        request_id: id(),
        ..replace.clone()
    };
    refused(
        client.replace_duty_shift(head(&world, few)).await,
        "DUTY_TOO_FEW",
    );
    let instead = client
        .replace_duty_shift(head(&world, replace.clone()))
        .await;
    let instead = instead.expect("replaced").into_inner();
    assert_eq!(
        (instead.state(), &instead.leader),
        (State::OnDuty, &staff(HEAD))
    );
    assert_eq!(instead.replaces, scheduled[0].name);
    let again = client.replace_duty_shift(head(&world, replace)).await;
    assert_eq!(
        again.expect("the same answer").into_inner().name,
        instead.name
    );
    let old = read_shift(&world, &scheduled[0].name).await;
    assert_eq!(
        (old.state(), &old.replaced_by),
        (State::Replaced, &instead.name)
    );
    assert_eq!(
        old.history.last().map(|one| &*one.note),
        Some("带班领导未到岗")
    );
    // The next leader takes over from those who were sent.
    let write = head(&world, handover(&instead.name));
    client.write_handover(write).await.expect("written");
    world.clock.set(hour(24));
    let next = on_duty(&world, TEACHER, take_over(&instead.name));
    client.take_over_duty_shift(next).await.expect("taken over");
}

async fn missed_rounds_and_patrols_are_seen(world: World) {
    settle(&world).await;
    let name = published(&world).await[0].name.clone();
    let mut client = duty(&world);
    let patrol = |point: &str| pb::RecordPatrolRequest {
        shift: name.clone(),
        point: point.to_owned(),
        request_id: id(),
    };
    let early = client
        .record_patrol(on_duty(&world, WARDEN, patrol("gate")))
        .await;
    refused(early, "DUTY_STATE");
    world.clock.set(hour(0));
    let came = on_duty(&world, DEPUTY, check_in(&name));
    client.check_in_duty_shift(came).await.expect("checked in");
    let stranger = client
        .record_patrol(on_duty(&world, HEAD, patrol("gate")))
        .await;
    refused(stranger, "DUTY_PERSON");
    // 22:00 of the evening is 14 hours after 08:00; the round from 00:00 to 02:00 is left out.
    for at in [1, 4, 8, 14, 18, 20] {
        world.clock.set(hour(at));
        for point in ["gate", "building-3/floor-2"] {
            let passed = client
                .record_patrol(on_duty(&world, WARDEN, patrol(point)))
                .await;
            passed.expect("passed");
        }
    }
    world.clock.set(hour(23));
    let shift = read_shift(&world, &name).await;
    assert_eq!((shift.patrols.len(), shift.missed_rounds.len()), (12, 1));
    let missed = shift.missed_rounds[0].start_time;
    assert_eq!(missed, Some(kit::field::to_timestamp(hour(16))));
    let get = pb::GetPatrolDayRequest {
        name: format!("{SCHOOL}/patrolDays/2022-04-07"),
    };
    let day = client
        .get_patrol_day(head(&world, get))
        .await
        .expect("read")
        .into_inner();
    // Of the civil day were four patrols: at 09:00, 12:00, 16:00 and 22:00.
    assert_eq!((day.required_count, day.patrol_count), (5, 4));
    assert_eq!(
        (day.state(), day.missed_rounds.len()),
        (patrol_day::State::Missed, 1)
    );
    let future = pb::GetPatrolDayRequest {
        name: format!("{SCHOOL}/patrolDays/2022-04-09"),
    };
    crate::ground::invalid(
        client.get_patrol_day(head(&world, future)).await,
        "what is not yet",
    );
}

async fn gaps_of_the_tree_are_listed(world: World) {
    settle(&world).await;
    let scheduled = published(&world).await;
    world.clock.set(hour(0));
    let mut client = duty(&world);
    let list = |state: duty_standing::State| pb::ListDutyStandingsRequest {
        parent: BUREAU.to_owned(),
        state: state.into(),
        ..Default::default()
    };
    let all = duty_standing::State::Unspecified;
    let now = client
        .list_duty_standings(district(&world, list(all)))
        .await
        .expect("listed");
    let now = now.into_inner().duty_standings;
    let states: Vec<_> = now.iter().map(pb::DutyStanding::state).collect();
    let (gap, awaited) = (duty_standing::State::Gap, duty_standing::State::Awaited);
    assert_eq!(states, [gap, awaited, gap, gap, gap]);
    assert_eq!(now[1].leader, staff(DEPUTY));
    let gaps = client
        .list_duty_standings(district(&world, list(gap)))
        .await
        .expect("listed");
    assert_eq!(gaps.into_inner().duty_standings.len(), 4);
    let came = on_duty(&world, DEPUTY, check_in(&scheduled[0].name));
    client.check_in_duty_shift(came).await.expect("checked in");
    let there = duty_standing::State::OnDuty;
    let there = client
        .list_duty_standings(district(&world, list(there)))
        .await
        .expect("listed");
    assert_eq!(
        there.into_inner().duty_standings[0].shift,
        scheduled[0].name
    );
}

/// Who was told at the school that something but inspections was not done, and of what.
async fn told(world: &World) -> Vec<(String, String)> {
    use proto::safety::accountability_record::Act;
    use proto::safety::accountability_service_client::AccountabilityServiceClient;
    let list = pb::ListAccountabilityRecordsRequest {
        parent: SCHOOL.to_owned(),
        page_size: 1000,
        ..Default::default()
    };
    let mut client = AccountabilityServiceClient::new(world.channel.clone());
    let listed = client
        .list_accountability_records(district(world, list))
        .await;
    let records = listed.expect("listed").into_inner().accountability_records;
    assert!(
        records
            .iter()
            .all(|one| one.act() == Act::NotDone && one.hazard.is_empty())
    );
    let told = records.into_iter();
    let told = told.filter(|one| !one.resource.ends_with("/inspectionStanding"));
    let mut told: Vec<_> = told.map(|one| (one.resource, one.staff_member)).collect();
    told.sort();
    told
}

async fn what_was_not_done_is_told_and_written_down(world: World) {
    settle(&world).await;
    let shifts = published(&world).await;
    world.clock.set(hour(0) + chrono::Duration::minutes(16));
    let mut expected = vec![
        (format!("{SCHOOL}/drillStanding"), staff(DEPUTY)),
        (shifts[0].name.clone(), staff(DEPUTY)),
    ];
    expected.sort();
    for _ in 0..200 {
        if told(&world).await.len() == expected.len() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(told(&world).await, expected, "each once");
}
