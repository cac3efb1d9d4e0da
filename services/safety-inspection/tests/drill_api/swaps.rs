//! Swaps: asked a day ahead, decided by somebody else.

use kit::auth::Role;
use kit::field::to_timestamp;
use proto::safety as pb;
use proto::safety::duty_swap::State;

use crate::city::tree::{DEPUTY, SISTER, SISTER_PATH, TEACHER, WARDEN};
use crate::city::world::World;
use crate::city::{SCHOOL, on_both, staff};
use crate::ground::{
    deputy, duty, head, hour, id, invalid, publish, published, read_shift, refused, settle, shift,
    steps,
};

on_both!(
    a_swap_changes_the_shift_when_it_is_granted,
    a_swap_is_refused_when_it_does_not_fit,
    nobody_is_put_on_two_shifts_at_once_by_a_swap,
    nobody_is_sent_who_is_on_duty_elsewhere,
);

fn ask(shift: &str, staff_member: u128, substitute: u128) -> pb::RequestDutySwapRequest {
    pb::RequestDutySwapRequest {
        shift: shift.to_owned(),
        staff_member: staff(staff_member),
        substitute: staff(substitute),
        reason: "外出培训".to_owned(),
        request_id: id(),
    }
}

fn decide(name: &str, approved: bool) -> pb::DecideDutySwapRequest {
    pb::DecideDutySwapRequest {
        name: name.to_owned(),
        approved,
        request_id: id(),
    }
}

async fn a_swap_changes_the_shift_when_it_is_granted(world: World) {
    settle(&world).await;
    let shift = published(&world).await[0].name.clone();
    let mut client = duty(&world);
    let unknown = client.request_duty_swap(deputy(&world, ask(&shift, WARDEN, 999)));
    refused(unknown.await, "STAFF_MEMBER_UNKNOWN");
    // Exactly a day ahead.
    let asked = client
        .request_duty_swap(deputy(&world, ask(&shift, WARDEN, 90)))
        .await;
    let asked = asked.expect("asked").into_inner();
    assert_eq!(asked.state(), State::Requested);
    let own = world.by(
        &staff(DEPUTY),
        kit::auth::Role::Principal,
        crate::city::SCHOOL_PATH,
        decide(&asked.name, true),
    );
    refused(client.decide_duty_swap(own).await, "DUTY_PERSON");
    let granted = client
        .decide_duty_swap(head(&world, decide(&asked.name, true)))
        .await;
    let granted = granted.expect("granted").into_inner();
    assert_eq!(
        (granted.state(), steps(&granted.history)),
        (State::Approved, vec!["REQUEST", "APPROVE"])
    );
    let changed = read_shift(&world, &shift).await;
    assert_eq!(changed.staff[0], staff(90));
    assert_eq!(steps(&changed.history), ["PUBLISH", "SWAP"]);
    let again = client
        .decide_duty_swap(head(&world, decide(&asked.name, false)))
        .await;
    refused(again, "DUTY_STATE");

    let other = client
        .request_duty_swap(deputy(&world, ask(&shift, 61, 91)))
        .await;
    let other = other.expect("asked").into_inner();
    let no = client
        .decide_duty_swap(head(&world, decide(&other.name, false)))
        .await;
    assert_eq!(no.expect("refused").into_inner().state(), State::Refused);
    assert_eq!(read_shift(&world, &shift).await.staff[1], staff(61));
    let list = pb::ListDutySwapsRequest {
        parent: SCHOOL.to_owned(),
        state: State::Refused.into(),
        ..Default::default()
    };
    let listed = client
        .list_duty_swaps(head(&world, list))
        .await
        .expect("listed")
        .into_inner();
    assert_eq!(listed.duty_swaps.len(), 1);
    assert_eq!(listed.duty_swaps[0].name, other.name);
}

async fn a_swap_is_refused_when_it_does_not_fit(world: World) {
    settle(&world).await;
    let scheduled = published(&world).await;
    let shift = &scheduled[0].name;
    let mut client = duty(&world);
    let stranger = client
        .request_duty_swap(deputy(&world, ask(shift, 95, 90)))
        .await;
    refused(stranger, "DUTY_PERSON");
    let twice = client
        .request_duty_swap(deputy(&world, ask(shift, WARDEN, 61)))
        .await;
    refused(twice, "DUTY_PERSON");
    let same = client
        .request_duty_swap(deputy(&world, ask(shift, WARDEN, WARDEN)))
        .await;
    invalid(same, "somebody for themselves");
    let asked = client
        .request_duty_swap(deputy(&world, ask(shift, WARDEN, 90)))
        .await;
    let asked = asked.expect("asked").into_inner();
    world.clock.advance(chrono::Duration::seconds(1));
    let late = client
        .request_duty_swap(deputy(&world, ask(shift, 61, 92)))
        .await;
    refused(late, "DUTY_SWAP_TOO_LATE");
    // What was asked in time is not granted once the shift has begun.
    world.clock.set(hour(0));
    let begun = client
        .decide_duty_swap(head(&world, decide(&asked.name, true)))
        .await;
    refused(begun, "DUTY_TIME");
    let kept = read_shift(&world, shift).await;
    assert_eq!(
        (&kept.staff[0], steps(&kept.history)),
        (&staff(WARDEN), vec!["PUBLISH"])
    );
}

/// The next school publishes a shift of these people.
async fn next_door(world: &World, (from, to): (i64, i64), (leader, others): (u128, [u128; 2])) {
    let create = pb::CreateDutyRosterRequest {
        parent: SISTER.to_owned(),
        duty_roster: Some(pb::DutyRoster {
            start_time: Some(to_timestamp(hour(from))),
            end_time: Some(to_timestamp(hour(to))),
            shifts: vec![shift(from, to, leader, others)],
            ..Default::default()
        }),
        request_id: id(),
    };
    let mut client = duty(world);
    let create = world.by("deputy", Role::SafetyOfficer, SISTER_PATH, create);
    let drafted = client.create_duty_roster(create).await.expect("drafted");
    let name = drafted.into_inner().name;
    let ask = world.by("head", Role::Principal, SISTER_PATH, publish(&name));
    client.publish_duty_roster(ask).await.expect("published");
}

async fn nobody_is_put_on_two_shifts_at_once_by_a_swap(world: World) {
    settle(&world).await;
    let scheduled = published(&world).await;
    let first = &scheduled[0].name;
    let mut client = duty(&world);
    // While it is asked for, the substitute is free; before it is granted, the next school needs them.
    let asked = client
        .request_duty_swap(deputy(&world, ask(first, WARDEN, 90)))
        .await;
    let asked = asked.expect("asked").into_inner();
    next_door(&world, (12, 24), (71, [90, 72])).await;
    let granted = client
        .decide_duty_swap(head(&world, decide(&asked.name, true)))
        .await;
    refused(granted, "DUTY_OVERLAP");
    let again = client
        .request_duty_swap(deputy(&world, ask(first, 61, 90)))
        .await;
    refused(again, "DUTY_OVERLAP");
    let kept = read_shift(&world, first).await;
    assert_eq!(
        (&kept.staff[0], steps(&kept.history)),
        (&staff(WARDEN), vec!["PUBLISH"])
    );
    // The day after they are free again; then nobody else may plan them.
    let second = &scheduled[1].name;
    let after = client
        .request_duty_swap(deputy(&world, ask(second, 62, 90)))
        .await;
    let after = after.expect("asked").into_inner();
    let granted = client
        .decide_duty_swap(head(&world, decide(&after.name, true)))
        .await;
    granted.expect("granted");
    // Whoever left the shift is free for another one.
    next_door(&world, (24, 36), (73, [62, 74])).await;
}

async fn nobody_is_sent_who_is_on_duty_elsewhere(world: World) {
    settle(&world).await;
    let first = published(&world).await[0].name.clone();
    next_door(&world, (0, 12), (71, [81, 72])).await;
    world.clock.set(hour(0) + chrono::Duration::minutes(20));
    for _ in 0..200 {
        let shift = read_shift(&world, &first).await;
        if shift.state() == pb::duty_shift::State::Alert {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let mut client = duty(&world);
    let replace = |leader: u128, others: [u128; 2]| pb::ReplaceDutyShiftRequest {
        name: first.clone(),
        leader: staff(leader),
        staff: others.map(staff).to_vec(),
        reason: "带班领导未到岗".to_owned(),
        request_id: id(),
    };
    let busy = client
        .replace_duty_shift(head(&world, replace(TEACHER, [81, 82])))
        .await;
    refused(busy, "DUTY_OVERLAP");
    let sent = client
        .replace_duty_shift(head(&world, replace(TEACHER, [82, 83])))
        .await;
    let sent = sent.expect("sent").into_inner();
    assert_eq!(
        sent.phone,
        crate::ground::PHONE,
        "the same telephone answers"
    );
}
