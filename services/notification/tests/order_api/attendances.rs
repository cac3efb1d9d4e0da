//! Attendances: signatures, substitutes, and every move that is refused (rule 5.40).

use crate::town::on_both;
use chrono::Duration;
use kit::auth::Role;
use kit::scratch::Scratch;
use proto::notification as pb;
use proto::notification::attendance::{State as Presence, Substitution};
use tonic::{Code, Status};

use crate::town::venue::{CONVENER, Who, attendance, meeting, start, state_of};
use crate::town::world::{World, reason, told};
use crate::town::{BUREAU, BUREAU_PATH, SCHOOL, SCHOOL_PATH, SISTER, SISTER_PATH, staff};

on_both!(
    every_illegal_move_of_an_attendance_is_refused_with_its_state,
    whoever_did_not_sign_out_is_signed_out_at_the_end,
    a_substitute_is_of_the_same_staff_and_decided_on_from_above,
    a_desk_signs_in_whom_its_place_contains,
);

const SCHOOL_CLERK: Who = ("clerk-1", Role::Principal, SCHOOL_PATH);
const BUREAU_CHIEF: Who = ("chief-2", Role::DistrictOfficer, BUREAU_PATH);

async fn every_illegal_move_of_an_attendance_is_refused_with_its_state(scratch: Scratch) {
    let mut world = World::with_heads(scratch).await;
    for (state, legal) in [
        ("EXPECTED", vec!["in", "ask"]),
        ("SIGNED_IN", vec!["out"]),
        ("SIGNED_OUT", vec![]),
    ] {
        for verb in ["in", "out", "ask", "decide"] {
            world.clock.set(start());
            let name = world.convene(meeting(&[])).await.expect("convened").name;
            let seat = attendance(&name, SCHOOL);
            if state != "EXPECTED" {
                let seated = world.sign_in(SCHOOL_CLERK, &seat, &staff(130), "").await;
                seated.expect("signed in");
            }
            if state == "SIGNED_OUT" {
                world
                    .sign_out(SCHOOL_CLERK, &seat)
                    .await
                    .expect("signed out");
            }
            let moved = match verb {
                "in" => world.sign_in(SCHOOL_CLERK, &seat, &staff(130), "").await,
                "out" => world.sign_out(SCHOOL_CLERK, &seat).await,
                "ask" => world.ask_substitute(SCHOOL_CLERK, &seat, &staff(131)).await,
                _ => world.decide_substitute(BUREAU_CHIEF, &seat, true).await,
            };
            if legal.contains(&verb) {
                moved.unwrap_or_else(|status| panic!("{state} {verb}: {status}"));
                continue;
            }
            let status = moved.expect_err("an illegal move");
            let (code, why, zh) = told(&status);
            assert_eq!(
                (code, &*why),
                (Code::FailedPrecondition, "ATTENDANCE_STATE"),
                "{state} {verb}"
            );
            assert_eq!(zh, format!("参会状态为 {state}，不能进行该操作"));
        }
    }
    // Too early, and too late.
    let name = world.convene(meeting(&[])).await.expect("convened").name;
    let seat = attendance(&name, SCHOOL);
    world.clock.set(start() - Duration::minutes(61));
    let early = world.sign_in(SCHOOL_CLERK, &seat, &staff(130), "").await;
    let early = early.expect_err("the door is closed");
    assert_eq!(
        (&*reason(&early), &*state_of(&early)),
        ("MEETING_STATE", "CONVENED")
    );
    world.clock.set(start());
    world.end_meeting(&name).await.expect("ended");
    let late = world.sign_in(SCHOOL_CLERK, &seat, &staff(130), "").await;
    let late = late.expect_err("over");
    assert_eq!(
        (&*reason(&late), &*state_of(&late)),
        ("MEETING_STATE", "ENDED")
    );
}

async fn whoever_did_not_sign_out_is_signed_out_at_the_end(scratch: Scratch) {
    let mut world = World::with_heads(scratch).await;
    let name = world.convene(meeting(&[])).await.expect("convened").name;
    world.clock.set(start());
    for (school, head, clerk) in [(SCHOOL, 130, SCHOOL_PATH), (SISTER, 140, SISTER_PATH)] {
        let clerk: Who = ("clerk-1", Role::Principal, clerk);
        let seat = attendance(&name, school);
        let seated = world.sign_in(clerk, &seat, &staff(head), "").await;
        assert!(!seated.expect("signed in").late);
    }
    world.clock.advance(Duration::hours(1));
    let seat = attendance(&name, SCHOOL);
    let left = world
        .sign_out(SCHOOL_CLERK, &seat)
        .await
        .expect("signed out");
    assert!(!left.left_unsigned && left.sign_out_time.is_some());
    world.clock.advance(Duration::minutes(30));
    let ended = world.end_meeting(&name).await.expect("ended");
    assert_eq!((ended.attended_count, ended.absent_count), (2, 4));
    let ask = pb::ListAttendancesRequest {
        parent: name.clone(),
        ..Default::default()
    };
    let seen = world.attendances(ask, BUREAU_PATH).await;
    let seen: Vec<_> = seen
        .iter()
        .map(|one| (&*one.organization, one.state(), one.left_unsigned))
        .collect();
    let expected = [
        (BUREAU, Presence::Absent, false),
        (SCHOOL, Presence::SignedOut, false),
        (SISTER, Presence::SignedOut, true),
    ];
    assert_eq!(seen, expected);
}

async fn a_substitute_is_of_the_same_staff_and_decided_on_from_above(scratch: Scratch) {
    let mut world = World::with_heads(scratch).await;
    let name = world.convene(meeting(&[])).await.expect("convened").name;
    let seat = attendance(&name, SCHOOL);
    for stranger in [staff(140), staff(999)] {
        let refused = world.ask_substitute(SCHOOL_CLERK, &seat, &stranger).await;
        assert_eq!(
            told(&refused.expect_err("a stranger")).0,
            Code::InvalidArgument
        );
    }
    let denied = |status: Status| assert_eq!(told(&status).0, Code::PermissionDenied);
    let asked = world.ask_substitute(BUREAU_CHIEF, &seat, &staff(131)).await;
    denied(asked.expect_err("the school itself asks"));
    let asked = world.ask_substitute(SCHOOL_CLERK, &seat, &staff(131)).await;
    assert_eq!(
        asked.expect("asked").substitution(),
        Substitution::Requested
    );
    let waiting = pb::ListAttendancesRequest {
        parent: name.clone(),
        substitution_requested: true,
        ..Default::default()
    };
    let waiting = world.attendances(waiting, "fz").await;
    assert_eq!((waiting.len(), &waiting[0].name), (1, &seat));
    let chief: Who = ("chief-3", Role::DistrictOfficer, SCHOOL_PATH);
    let own = world.decide_substitute(chief, &seat, true).await;
    denied(own.expect_err("from above"));
    let elsewhere: Who = ("chief-3", Role::DistrictOfficer, "fz/350103");
    let other = world.decide_substitute(elsewhere, &seat, true).await;
    denied(other.expect_err("another bureau"));

    world.clock.set(start());
    let refused = world.decide_substitute(BUREAU_CHIEF, &seat, false).await;
    assert_eq!(
        refused.expect("decided").substitution(),
        Substitution::Refused
    );
    let stranger = world.sign_in(SCHOOL_CLERK, &seat, &staff(131), "").await;
    let (code, why, zh) = told(&stranger.expect_err("refused"));
    assert_eq!(
        (code, &*why),
        (Code::FailedPrecondition, "ATTENDANCE_SUBSTITUTE")
    );
    assert_eq!(zh, "代会须先经批准");
    let again = world.ask_substitute(SCHOOL_CLERK, &seat, &staff(131)).await;
    assert_eq!(again.expect("asked again").substitute_decider, "");
    world
        .decide_substitute(BUREAU_CHIEF, &seat, true)
        .await
        .expect("granted");
    // The holder may still come after all; here the substitute does.
    let seated = world.sign_in(SCHOOL_CLERK, &seat, &staff(131), "").await;
    assert_eq!(seated.expect("signed in").attendee, staff(131));
    let own = attendance(&name, BUREAU);
    let up = world.decide_substitute(BUREAU_CHIEF, &own, true).await;
    denied(up.expect_err("the city decides on the bureau's"));
}

async fn a_desk_signs_in_whom_its_place_contains(scratch: Scratch) {
    let mut world = World::with_heads(scratch).await;
    let name = world
        .convene(meeting(&[BUREAU]))
        .await
        .expect("convened")
        .name;
    world.clock.set(start());
    let seat = attendance(&name, SCHOOL);
    let reporter: Who = (
        "reporter-1",
        Role::ClassReporter,
        "fz/350102/2135010001/p2019-01",
    );
    for who in [
        reporter,
        ("clerk-1", Role::Principal, SISTER_PATH),
        ("chief-3", Role::DistrictOfficer, "fz/350103"),
        ("doctor-1", Role::Laboratory, "fz"),
    ] {
        let refused = world.sign_in(who, &seat, &staff(130), "").await;
        assert_eq!(
            told(&refused.expect_err("elsewhere")).0,
            Code::PermissionDenied
        );
    }
    let nowhere = world.sign_in(CONVENER, &seat, &staff(130), "garden").await;
    assert_eq!(
        told(&nowhere.expect_err("no venue")).0,
        Code::InvalidArgument
    );
    let seated = world.sign_in(CONVENER, &seat, &staff(130), "main").await;
    let seated = seated.expect("signed in");
    assert_eq!(
        (&*seated.venue_id, &*seated.sign_in_venue_id),
        ("350102", "main")
    );
    let unknown = format!("{name}/attendances/nowhere~principal");
    let unknown = world.sign_in(CONVENER, &unknown, &staff(130), "").await;
    assert_eq!(told(&unknown.expect_err("nobody")).0, Code::NotFound);
}
