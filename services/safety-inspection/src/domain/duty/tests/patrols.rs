use super::*;

fn passing(minutes: i64, point: &str) -> Passing<'_> {
    let at = start() + TimeDelta::minutes(minutes);
    Passing { at, point }
}

fn route() -> Vec<String> {
    ["gate", "building-3/floor-2", "boiler-house"]
        .map(str::to_owned)
        .to_vec()
}

#[test]
fn a_round_without_the_whole_route_is_missed_once_it_is_over() {
    let points = route();
    let rounds = [span(0, 2), span(2, 4), span(4, 6)];
    let passed = [
        passing(10, "gate"),
        passing(15, "building-3/floor-2"),
        passing(119, "boiler-house"),
        // The second round lacks a point; the first instant of the next one is not in it.
        passing(130, "gate"),
        passing(135, "building-3/floor-2"),
        passing(240, "boiler-house"),
    ];
    let missed_at = |hour| missed(&rounds, &passed, Route(&points), span(hour, hour).start);
    assert_eq!(missed_at(3), [], "the second is not over");
    assert_eq!(missed_at(4), [span(2, 4)]);
    assert_eq!(missed_at(6), [span(2, 4), span(4, 6)]);
    let any = missed(&rounds, &passed, Route(&[]), span(6, 6).start);
    assert_eq!(any, [], "any point is enough without a route");
}

#[test]
fn a_missed_round_is_owed_by_who_was_on_duty_when_it_ended() {
    let shift = |from, to, leader: &str, state| Shift {
        state,
        ..Shift::scheduled(planned(from, to, crew(leader, &[])), "r", TimeDelta::zero())
    };
    let shifts = [
        shift(0, 6, "day", ShiftState::HandedOver),
        shift(6, 12, "absent", ShiftState::Replaced),
        shift(7, 12, "sent", ShiftState::OnDuty),
    ];
    let rounds = [
        span(-2, 0),
        span(0, 2),
        span(5, 8),
        span(10, 12),
        span(12, 14),
    ];
    let told = unmade(&rounds, shifts.iter());
    let expected = [
        (span(0, 2), "day"),
        (span(5, 8), "sent"),
        (span(10, 12), "sent"),
    ];
    assert_eq!(
        told, expected,
        "where nobody was on duty there is a gap instead"
    );
}
