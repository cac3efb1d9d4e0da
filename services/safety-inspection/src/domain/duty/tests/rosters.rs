use proptest::prelude::*;

use super::*;

#[test]
fn a_roster_is_published_without_gap_clash_or_empty_post() {
    let good = || {
        vec![
            planned(24, 48, crew("d", &["e", "f"])),
            planned(0, 24, crew("a", &["b", "c"])),
        ]
    };
    let (published, moved) = publish(good()).unwrap();
    assert_eq!(published.state, RosterState::Published);
    assert_eq!(
        (moved.from, moved.to, moved.step),
        ("DRAFT", "PUBLISHED", "PUBLISH")
    );
    assert_eq!(published.shifts[0].span, span(0, 24));

    let refused = |change: fn(&mut Vec<Planned>)| {
        let mut shifts = good();
        change(&mut shifts);
        publish(shifts).unwrap_err()
    };
    let gap = refused(|shifts| shifts[0].span.start += TimeDelta::hours(1));
    assert_eq!(gap, Refused::Gap(span(24, 25)));
    assert_eq!(
        refused(|shifts| drop(shifts.pop())),
        Refused::Gap(span(0, 24))
    );
    assert_eq!(refused(Vec::clear), Refused::Gap(span(0, 48)));
    let few = Refused::TooFew {
        start: span(24, 48).start,
        count: 1,
        required: 2,
    };
    assert_eq!(refused(|shifts| drop(shifts[0].crew.staff.pop())), few);
    let post = Refused::KeyPost {
        post: "GUARD".to_owned(),
        start: start(),
    };
    assert_eq!(refused(|shifts| shifts[1].crew.posts.clear()), post);
    let clash = refused(|shifts| {
        shifts[0].span.start -= TimeDelta::hours(1);
        shifts[0].crew.staff[0] = "b".to_owned();
    });
    assert_eq!(clash, Refused::Overlap(span(23, 48).start));
    // One shift after the other is not two at once.
    let mut after = good();
    after[0].crew.staff[0] = "b".to_owned();
    assert!(publish(after).is_ok());
    let again = published.clone().publish(&demands(), &[]).unwrap_err();
    assert_eq!(again, Refused::State("PUBLISHED"));
    let update = published.update(span(0, 1), Vec::new()).unwrap_err();
    assert_eq!(update, Refused::State("PUBLISHED"));
}

#[test]
fn every_step_from_every_state_is_in_the_rules_or_refused() {
    for state in RosterState::ALL {
        for step in RosterStep::ALL {
            let rule = match (state, step) {
                (RosterState::Draft, RosterStep::Update) => Some(RosterState::Draft),
                (RosterState::Draft, RosterStep::Publish) => Some(RosterState::Published),
                (RosterState::Published, _) => None,
            };
            let roster = Roster {
                state: *state,
                ..Roster::draft(span(0, 24), vec![planned(0, 24, crew("a", &["b", "c"]))])
            };
            let (whole, shifts) = (roster.span, roster.shifts.clone());
            let moved = match step {
                RosterStep::Update => roster.update(whole, shifts),
                RosterStep::Publish => roster.publish(&demands(), &[]),
            };
            let moved = moved.map(|(roster, _)| roster.state);
            assert_eq!(moved, rule.ok_or(Refused::State(state.as_str())));
        }
    }
    for state in SwapState::ALL {
        for step in SwapStep::ALL {
            let rule = match (state, step) {
                (SwapState::Requested, SwapStep::Approve) => Some(SwapState::Approved),
                (SwapState::Requested, SwapStep::Refuse) => Some(SwapState::Refused),
                (SwapState::Approved | SwapState::Refused, _) => None,
            };
            assert_eq!(state.next(*step), rule, "{state:?} {step:?}");
        }
    }
}

#[test]
fn nobody_is_on_two_rosters_at_once() {
    let shifts = vec![planned(0, 48, crew("a", &["b", "c"]))];
    let roster = Roster::draft(span(0, 48), shifts);
    let busy = |person: &str, from, until| vec![(person.to_owned(), span(from, until))];
    let publish = |busy: Vec<(String, Span)>| roster.clone().publish(&demands(), &busy);
    let clash = publish(busy("b", 47, 50)).unwrap_err();
    assert_eq!(clash, Refused::Overlap(start()));
    assert!(publish(busy("b", 48, 50)).is_ok(), "one after the other");
    assert!(publish(busy("x", 0, 48)).is_ok(), "somebody else");
}

#[test]
fn a_hole_between_rosters_is_seen_a_week_ahead() {
    let at = |hour: i64| span(hour, hour).start;
    let now = at(0);
    let hole = |spans: &[Span]| hole(now, Some(at(-5)), spans);
    let found = |start: i64, end: Option<i64>| {
        Some(Hole {
            start: Some(at(start)),
            end: end.map(at),
        })
    };
    assert_eq!(hole(&[]), found(-5, None));
    assert_eq!(hole(&[span(3, 9)]), found(-5, Some(3)));
    assert_eq!(
        hole(&[span(0, 9)]),
        None,
        "what comes after the last one is open"
    );
    assert_eq!(hole(&[span(-2, 9), span(9, 12)]), None);
    assert_eq!(
        hole(&[span(-2, 9), span(9, 12), span(20, 24)]),
        found(12, Some(20))
    );
    assert_eq!(hole(&[span(-2, 169), span(180, 190)]), None, "too far away");
    let around =
        |before: i64, after: i64| holes_around(span(0, 24), (Some(at(before)), Some(at(after))));
    assert_eq!(around(0, 24), []);
    assert_eq!(around(-3, 30), [span(-3, 0), span(24, 30)]);
    assert_eq!(around(-200, 24), [], "a vacation is no hole");
}

proptest! {
    #[test]
    fn the_first_gap_is_the_first_hour_that_nobody_covers(
        spans in proptest::collection::vec((0i64..40, 1i64..12), 0..8),
    ) {
        let mut spans: Vec<Span> = spans.into_iter().map(|(from, long)| span(from, from + long)).collect();
        spans.sort();
        let whole = span(0, 36);
        let empty = |hour: &i64| !spans.iter().any(|one| one.contains(span(*hour, 0).start));
        let first = (0..36).find(empty);
        let end = first.map(|first| (first..36).find(|hour| !empty(hour)).unwrap_or(36));
        let expected = first.zip(end).map(|(first, end)| span(first, end));
        prop_assert_eq!(super::super::roster::gap(whole, spans.iter().copied()), expected);
    }

    #[test]
    fn generated_rosters_have_no_gap(
        first in 0u64..400, days in 0u64..60, teams in 1usize..6, edge in 0u64..460,
    ) {
        let day = |offset: u64| NaiveDate::from_ymd_opt(2022, 1, 1).unwrap() + chrono::Days::new(offset);
        let teams: Vec<Team> = (0..teams).map(|one| crew(&format!("l{one}"), &[])).collect();
        let (plain, flood) = (template(&[480]), template(&[420, 1140]));
        let by = |on: NaiveDate| if on < day(edge) { &plain } else { &flood };
        let (whole, shifts) = generate((day(first), day(first + days)), &teams, by);
        prop_assert!(shifts.len() as u64 >= days);
        prop_assert_eq!(super::super::roster::gap(whole, shifts.iter().map(|one| one.span)), None);
        for pair in shifts.windows(2) {
            prop_assert_eq!(pair[0].span.end, pair[1].span.start);
        }
        prop_assert!(shifts.iter().all(|one| one.span.length() <= TimeDelta::hours(24)));
    }
}
