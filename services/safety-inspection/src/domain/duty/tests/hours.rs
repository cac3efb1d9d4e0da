use super::*;

#[test]
fn rounds_that_nobody_made_are_seen_when_they_are_over() {
    let day = NaiveDate::from_ymd_opt(2022, 4, 6).unwrap();
    let night = rounds(&template(&[480]), day);
    assert_eq!(night.len(), 4);
    assert_eq!(night[0], span(14, 16), "22:00 in Asia/Shanghai");
    let passed = [night[0].start, night[2].end - TimeDelta::seconds(1)];
    let passed = passed.map(|at| Passing { at, point: "gate" });
    let any = Route::default();
    assert_eq!(missed(&night, &passed, any, night[3].start), [night[1]]);
    let both = [night[1], night[3]];
    assert_eq!(missed(&night, &passed, any, night[3].end), both);
    let points = ["gate".to_owned(), "hall".to_owned()];
    let route = Route(&points);
    assert_eq!(missed(&night, &passed, route, night[3].start), night[..3]);
}

/// Rule 5.13.
#[test]
fn one_point_five_times_is_not_five_patrols() {
    let pass = |minute: i64, point: &'static str| Passing {
        at: start() + TimeDelta::minutes(minute),
        point,
    };
    let points = ["gate".to_owned(), "hall".to_owned()];
    let route = Route(&points);
    let gate = [0, 60, 120, 180, 240].map(|minute| pass(minute, "gate"));
    assert_eq!(patrols(&gate, route), 0);
    assert_eq!(patrols(&gate, Route(&points[..1])), 5);
    let walked = [pass(0, "gate"), pass(8, "yard"), pass(16, "hall")];
    assert_eq!(patrols(&walked, route), 1);
    let apart = [pass(0, "gate"), pass(11, "hall")];
    assert_eq!(patrols(&apart, route), 0);
}

#[test]
fn points_close_together_are_one_patrol() {
    let minutes = [0, 5, 14, 30, 41, 41];
    let passed: Vec<_> = minutes
        .map(|one| Passing {
            at: start() + TimeDelta::minutes(one),
            point: "gate",
        })
        .to_vec();
    assert_eq!(patrols(&passed, Route::default()), 3);
    assert_eq!(patrols(&[], Route::default()), 0);
    let day = |count, missed: &[Span], over| Day {
        required: 5,
        count,
        missed: missed.to_vec(),
        over,
    };
    assert_eq!(day(5, &[], true).standing(), PatrolStanding::Done);
    assert_eq!(day(4, &[], false).standing(), PatrolStanding::Due);
    assert_eq!(day(4, &[], true).standing(), PatrolStanding::Missed);
    assert_eq!(
        day(9, &[span(0, 1)], false).standing(),
        PatrolStanding::Missed
    );
}

#[test]
fn the_flood_season_may_go_over_the_turn_of_the_year() {
    let of = |month, day, season| {
        let day = NaiveDate::from_ymd_opt(2022, month, day).unwrap();
        Season::of(day, season)
    };
    assert_eq!(of(4, 14, (415, 1015)), Season::Ordinary);
    assert_eq!(of(4, 15, (415, 1015)), Season::Flood);
    assert_eq!(of(10, 15, (415, 1015)), Season::Flood);
    assert_eq!(of(10, 16, (415, 1015)), Season::Ordinary);
    assert_eq!(of(1, 1, (1101, 228)), Season::Flood);
    assert_eq!(of(6, 1, (1101, 228)), Season::Ordinary);
}
