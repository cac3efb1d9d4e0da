//! Grades arrive one after another: a gate notes it and refuses nobody for it (rule 3.8).

use crate::city::on_both;
use proto::roster::gate_policy::ArrivalWindow;
use proto::safety as pb;
use proto::safety::gate_decision::Result as Outcome;
use proto::safety::gate_reason::Code;

use crate::city::world::{World, codes, heard, well};
use crate::city::{policy, roster, staff, student};

on_both!(who_comes_at_another_time_is_noted_and_let_in);

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
    let mut early = world.check(well(&student(1))).await.expect("decided");
    for _ in 0..200 {
        if codes(&early) == [Code::ArrivalEarly] {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        early = world.check(well(&student(1))).await.expect("decided");
    }
    assert_eq!(codes(&early), [Code::ArrivalEarly]);
    assert_eq!(early.result(), Outcome::Admit);
    let noted = early.arrival.clone().expect("a note");
    assert_eq!(noted.verdict(), pb::gate_check::Verdict::Pass);
    assert_eq!(early.reasons[0].rule, "3.8");
    let teacher = world.check(well(&staff(21))).await.expect("decided");
    assert!(teacher.reasons.is_empty(), "staff have no grade");
    for (minutes, expected) in [(10, None), (10, Some(Code::ArrivalLate)), (240, None)] {
        world.clock.advance(chrono::Duration::minutes(minutes));
        heard(&world.db, &world.clock).await;
        let came = world.check(well(&student(1))).await.expect("decided");
        assert_eq!(came.result(), Outcome::Admit);
        let noted: Vec<_> = codes(&came)
            .into_iter()
            .filter(|code| *code != Code::FactsStale)
            .collect();
        assert_eq!(noted, Vec::from_iter(expected), "after {minutes} minutes");
        // Kept as it was said.
        let get = pb::GetGateDecisionRequest {
            name: came.name.clone(),
        };
        let get = world.as_role(kit::auth::Role::Guard, crate::city::SCHOOL_PATH, get);
        let read = world.client.get_gate_decision(get).await.expect("read");
        assert_eq!(read.into_inner(), came);
    }
}
