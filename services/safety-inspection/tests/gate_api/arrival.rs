//! Grades arrive one after another: a gate notes it and refuses nobody for it (rule 3.8).

use crate::city::on_both;
use kit::auth::Role;
use kit::clock::Clock;
use proto::roster::gate_policy::ArrivalWindow;
use proto::safety as pb;
use proto::safety::gate_check::Verdict;
use proto::safety::gate_decision::Result as Outcome;
use proto::safety::gate_reason::Code;
use sea_orm::ConnectionTrait;

use crate::city::world::{World, well};
use crate::city::{SCHOOL, SCHOOL_PATH, policy, roster, staff, student};

on_both!(
    who_comes_at_another_time_is_noted_and_let_in,
    who_comes_late_in_bad_weather_is_not_late,
);

async fn who_comes_at_another_time_is_noted_and_let_in(mut world: World) {
    // 08:00 in the city; the third grade comes from 08:10 to 08:20.
    let staggered = policy("", 2, |profile| {
        if let Some(gate) = &mut profile.gate {
            gate.arrival_windows = vec![ArrivalWindow {
                grade: 3,
                start_minute: 490,
                end_minute: 500,
            }];
        }
    });
    roster(&world.db, &[staggered], 1).await;
    let noted = |decision: &pb::GateDecision| {
        let arrival = decision.arrival.clone().expect("a note");
        (arrival.verdict(), arrival.reason.expect("why").code())
    };
    let mut early = world.check(well(&student(1))).await.expect("decided");
    for _ in 0..200 {
        if noted(&early).1 != Code::ArrivalNotStaggered {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        early = world.check(well(&student(1))).await.expect("decided");
    }
    assert_eq!(noted(&early), (Verdict::Pass, Code::ArrivalEarly));
    assert_eq!(early.result(), Outcome::Admit);
    assert!(early.reasons.is_empty(), "a note only");
    let teacher = world.check(well(&staff(21))).await.expect("decided");
    let unstaggered = (Verdict::NotRequired, Code::ArrivalNotStaggered);
    assert_eq!(noted(&teacher), unstaggered, "staff have no grade");
    let day = [
        (10, (Verdict::Pass, Code::ArrivalInWindow)),
        (10, (Verdict::Pass, Code::ArrivalLate)),
        (240, unstaggered),
    ];
    for (minutes, expected) in day {
        world.clock.advance(chrono::Duration::minutes(minutes));
        let came = world.check(well(&student(1))).await.expect("decided");
        assert_eq!((came.result(), noted(&came)), (Outcome::Admit, expected));
        // Kept as it was said.
        let get = pb::GetGateDecisionRequest {
            name: came.name.clone(),
        };
        let get = world.as_role(Role::Guard, SCHOOL_PATH, get);
        let read = world.client.get_gate_decision(get).await.expect("read");
        assert_eq!(read.into_inner(), came);
    }
}

/// Golden test T15.
async fn who_comes_late_in_bad_weather_is_not_late(mut world: World) {
    // 08:00 in the city; the third grade came from 07:30 to 07:50.
    let staggered = policy("", 2, |profile| {
        if let Some(gate) = &mut profile.gate {
            gate.arrival_windows = vec![ArrivalWindow {
                grade: 3,
                start_minute: 450,
                end_minute: 470,
            }];
        }
    });
    roster(&world.db, &[staggered], 1).await;
    let code = |decision: &pb::GateDecision| {
        let arrival = decision.arrival.clone().expect("a note");
        arrival.reason.expect("why").code()
    };
    let mut late = world.check(well(&student(1))).await.expect("decided");
    for _ in 0..200 {
        if code(&late) != Code::ArrivalNotStaggered {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        late = world.check(well(&student(1))).await.expect("decided");
    }
    assert_eq!(code(&late), Code::ArrivalLate);
    // Orange since the evening before, lowered at 07:55.
    for (number, minutes_ago, level) in [(1, 600, 2), (2, 5, 4)] {
        let at = world.clock.now() - chrono::Duration::minutes(minutes_ago);
        let change = kit::db::statement(
            world.db.read(),
            "INSERT INTO weather_changes (subject, number, changed_at, from_state, to_state, level, \
             actor, cause) VALUES ($1, $2, $3, 1, 2, $4, 'service', '')",
            [
                format!("{SCHOOL}/weatherState").into(),
                number.into(),
                at.timestamp_millis().into(),
                i16::into(level),
            ],
        );
        let tx = world.db.begin().await.expect("begun");
        tx.execute_raw(change).await.expect("changed");
        tx.commit().await.expect("kept");
    }
    // What was read of the weather is remembered for a moment.
    let mut delayed = world.check(well(&student(1))).await.expect("decided");
    for _ in 0..200 {
        if code(&delayed) != Code::ArrivalLate {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        delayed = world.check(well(&student(1))).await.expect("decided");
    }
    assert_eq!(code(&delayed), Code::ArrivalWeatherDelay);
    assert_eq!(delayed.result(), Outcome::Admit);
    assert!(delayed.reasons.is_empty(), "a note only");
    // The day after nothing stands any more.
    world.clock.advance(chrono::Duration::days(1));
    let next = world.check(well(&student(1))).await.expect("decided");
    assert_eq!(code(&next), Code::ArrivalLate);
}
