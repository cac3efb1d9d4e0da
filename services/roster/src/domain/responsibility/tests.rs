//! Laws and examples of who answers.

use proptest::prelude::*;

use super::*;
use crate::domain::staff::Posts;

fn person(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn place(text: &str) -> Place {
    text.parse().expect("a place")
}

fn node(subject: Subject, at: &str, holder: u128, start: i64) -> Node {
    Node {
        id: Uuid::from_u128(u128::MAX - holder),
        organization: "school".to_owned(),
        subject,
        place: place(at),
        staff_member: person(holder),
        duties: String::new(),
        start,
        end: None,
    }
}

fn seat(subject: Subject, at: &str, holder: u128) -> Seat {
    Seat {
        node: node(subject, at, holder, 0),
        filled: true,
    }
}

fn chart(organization: &str, officers: &[(u128, &[Post])]) -> Chart {
    Chart {
        organization: organization.to_owned(),
        officers: officers
            .iter()
            .map(|(holder, posts)| (person(*holder), posts.iter().copied().collect()))
            .collect(),
        ..Chart::default()
    }
}

fn who(charts: &[Chart], subject: Subject, at: &str) -> Option<(u128, String, i32)> {
    let found = resolve(charts, subject, &place(at))?;
    Some((
        found.answer.holder().as_u128(),
        found.organization,
        found.steps,
    ))
}

fn at(number: u128, organization: &str, steps: i32) -> Option<(u128, String, i32)> {
    Some((number, organization.to_owned(), steps))
}

#[test]
fn the_search_goes_from_the_place_outwards_and_then_up() {
    let mut school = chart(
        "school",
        &[(3, &[Post::SafetyDeputy]), (4, &[Post::Principal])],
    );
    school.seats = vec![
        seat(Subject::Fire, "building-3/floor-2", 1),
        seat(Subject::Fire, "", 2),
    ];
    let bureau = chart("bureau", &[(9, &[Post::Principal])]);
    let mut charts = [school, bureau];
    let ask = |charts: &[Chart]| who(charts, Subject::Fire, "building-3/floor-2");
    assert_eq!(ask(&charts), at(1, "school", 0));
    charts[0].seats[0].filled = false;
    assert_eq!(ask(&charts), at(2, "school", 2));
    charts[0].seats.clear();
    assert_eq!(ask(&charts), at(3, "school", 3));
    charts[0].officers.remove(0);
    assert_eq!(ask(&charts), at(4, "school", 4));
    charts[0].officers.clear();
    assert_eq!(ask(&charts), at(9, "bureau", 7));
    charts[1].officers.clear();
    assert_eq!(ask(&charts), None);
}

#[test]
fn the_epidemic_reporter_comes_before_the_doctor_and_a_name_before_both() {
    let mut school = chart(
        "s",
        &[(1, &[Post::Medical]), (2, &[Post::EpidemicReporter])],
    );
    let ask = |school: &Chart| who(std::slice::from_ref(school), Subject::EpidemicControl, "");
    assert_eq!(ask(&school), at(2, "s", 0));
    school.seats = vec![seat(Subject::EpidemicControl, "", 3)];
    assert_eq!(ask(&school), at(3, "s", 0));
    school.seats.clear();
    school.officers.pop();
    assert_eq!(ask(&school), at(1, "s", 0));
}

#[test]
fn of_several_holders_the_one_with_the_lowest_identifier_answers() {
    let school = chart("s", &[(8, &[Post::Principal]), (5, &[Post::Principal])]);
    assert_eq!(who(&[school], Subject::OverallHead, ""), at(5, "s", 0));
}

#[test]
fn a_class_group_is_its_head_teachers_and_no_one_elses_by_office() {
    let mut school = chart("s", &[(1, &[Post::HeadTeacher])]);
    school.head_teachers = vec![("p2019-01".to_owned(), person(7))];
    let charts = [school, chart("bureau", &[(9, &[Post::Principal])])];
    assert_eq!(who(&charts, Subject::ClassGroup, "p2019-01"), at(7, "s", 0));
    assert_eq!(
        who(&charts, Subject::ClassGroup, "p2019-02"),
        at(9, "bureau", 4)
    );
}

#[test]
fn who_carries_out_does_not_answer() {
    let school = chart(
        "s",
        &[(
            1,
            &[Post::Guard, Post::Canteen, Post::Driver, Post::Teacher],
        )],
    );
    for subject in Subject::ALL {
        assert_eq!(
            who(std::slice::from_ref(&school), *subject, "a"),
            None,
            "{subject:?}"
        );
    }
}

#[test]
fn the_roll_tells_epidemic_control_and_safety_while_anybody_is_there() {
    let school = chart("s", &[(4, &[Post::Principal])]);
    let duty = |subject, at: &str, holder| Duty {
        subject,
        place: place(at),
        holder: person(holder),
    };
    let expected = [
        duty(Subject::OverallHead, "", 4),
        duty(Subject::Safety, "", 4),
        duty(Subject::EpidemicControl, "", 4),
    ];
    assert_eq!(roll(&school), expected);
    assert_eq!(roll(&chart("s", &[(4, &[Post::Teacher])])), []);
}

#[test]
fn a_seat_that_is_not_filled_is_published_with_who_answers_instead() {
    let mut school = chart("s", &[(3, &[Post::SafetyDeputy])]);
    school.seats = vec![Seat {
        filled: false,
        ..seat(Subject::Food, "canteen-1", 8)
    }];
    let food = roll(&school)
        .into_iter()
        .find(|duty| duty.subject == Subject::Food);
    let expected = Duty {
        subject: Subject::Food,
        place: place("canteen-1"),
        holder: person(3),
    };
    assert_eq!(food, Some(expected));
}

#[test]
fn what_is_no_place_is_refused() {
    for text in [
        "/",
        "a/",
        "/a",
        "a//b",
        "A",
        "楼",
        "a b",
        "1/2/3/4/5/6/7/8/9",
    ] {
        assert_eq!(text.parse::<Place>(), Err(NotAPlace), "{text}");
    }
    assert_eq!("x".repeat(33).parse::<Place>(), Err(NotAPlace));
    assert_eq!(place("a/b").around(), Some(place("a")));
    assert_eq!(place("a").around(), Some(Place::default()));
    assert_eq!(Place::default().around(), None);
}

#[test]
fn a_node_ends_once_and_after_it_began() {
    let before = node(Subject::Fire, "", 1, 100);
    assert_eq!(before.clone().relieve(100), Err(TooEarly(100)));
    assert_eq!(before.clone().relieve(99), Err(TooEarly(100)));
    let after = before.clone().relieve(101).unwrap();
    assert_eq!(after.end, Some(101));
    assert_eq!(after.relieve(200), Err(TooEarly(100)));
}

const PLACES: [&str; 5] = ["", "a", "a/b", "a/b/c", "p2019-01"];

fn any_chart() -> impl Strategy<Value = Chart> {
    let subject = proptest::sample::select(Subject::ALL);
    let seats = proptest::collection::btree_map(
        (subject, proptest::sample::select(&PLACES[..])),
        (1u128..30, any::<bool>()),
        0..12,
    );
    let officers = proptest::collection::btree_map(1u128..30, 0i32..(1 << 21), 0..4);
    let head_teacher = proptest::option::of(1u128..30);
    (seats, officers, head_teacher).prop_map(|(seats, officers, head_teacher)| Chart {
        organization: String::new(),
        seats: seats
            .into_iter()
            .map(|((subject, at), (holder, filled))| Seat {
                filled,
                ..seat(subject, at, holder)
            })
            .collect(),
        officers: officers
            .into_iter()
            .map(|(holder, bits)| (person(holder), Posts::from_bits(bits)))
            .collect(),
        head_teachers: head_teacher
            .map(|holder| ("p2019-01".to_owned(), person(holder)))
            .into_iter()
            .collect(),
    })
}

/// Whether somebody of `chart` can answer for something at all that everybody falls back to.
fn has_fallback(chart: &Chart) -> bool {
    [Subject::Safety, Subject::OverallHead]
        .iter()
        .any(|subject| {
            let seated = chart.seats.iter().any(|seat| {
                seat.filled && seat.node.subject == *subject && seat.node.place.is_everywhere()
            });
            let held = |post: &Post| chart.officers.iter().any(|(_, posts)| posts.holds(*post));
            seated || subject.offices().iter().any(held)
        })
}

proptest! {
    #[test]
    fn one_person_answers_or_nobody_up_to_the_root_can(
        mut charts in proptest::collection::vec(any_chart(), 1..4),
        subject in proptest::sample::select(Subject::ALL),
        asked in proptest::sample::select(&PLACES[..]),
    ) {
        for (number, chart) in charts.iter_mut().enumerate() {
            chart.organization = number.to_string();
        }
        let found = resolve(&charts, subject, &place(asked));
        match &found {
            Some(found) => {
                let number: usize = found.organization.parse().unwrap();
                let chart = &charts[number];
                let holder = found.answer.holder();
                let seated = chart.seats.iter().any(|seat| seat.filled && seat.node.staff_member == holder);
                let officer = chart.officers.iter().any(|(officer, _)| *officer == holder);
                let head = chart.head_teachers.iter().any(|(_, head)| *head == holder);
                prop_assert!(seated || officer || head);
                // Whoever is nearer was passed over because nobody there could answer.
                prop_assert!(charts[..number].iter().all(|chart| !has_fallback(chart)));
                prop_assert!(found.steps >= i32::try_from(number).unwrap());
            }
            None => prop_assert!(charts.iter().all(|chart| !has_fallback(chart))),
        }
        // The order in which people and nodes are read decides nothing.
        for chart in &mut charts {
            chart.seats.reverse();
            chart.officers.reverse();
        }
        prop_assert_eq!(resolve(&charts, subject, &place(asked)), found);
    }

    #[test]
    fn a_roll_has_each_subject_and_place_once_and_agrees_with_the_search(chart in any_chart()) {
        let duties = roll(&chart);
        let keys: std::collections::BTreeSet<_> =
            duties.iter().map(|duty| (duty.subject, duty.place.clone())).collect();
        prop_assert_eq!(keys.len(), duties.len());
        for duty in &duties {
            let found = resolve(std::slice::from_ref(&chart), duty.subject, &duty.place);
            prop_assert_eq!(found.map(|found| found.answer.holder()), Some(duty.holder));
        }
        if has_fallback(&chart) {
            for subject in [Subject::EpidemicControl, Subject::Safety] {
                prop_assert!(keys.contains(&(subject, Place::default())));
            }
        }
    }

    #[test]
    fn hand_overs_leave_neither_a_gap_nor_two_persons(
        starts in proptest::collection::vec(0i64..200, 1..12),
    ) {
        let mut nodes: Vec<Node> = Vec::new();
        for (number, start) in starts.into_iter().enumerate() {
            let next = node(Subject::Fire, "", number as u128 + 1, start);
            let Some(last) = nodes.pop() else {
                nodes.push(next);
                continue;
            };
            match last.clone().relieve(start) {
                Ok(relieved) => nodes.extend([relieved, next]),
                Err(TooEarly(began)) => {
                    prop_assert!(start <= began);
                    nodes.push(last);
                }
            }
        }
        let first = nodes[0].start;
        for minute in 0..250 {
            let holding = nodes.iter().filter(|node| node.holds(minute)).count();
            prop_assert_eq!(holding, usize::from(minute >= first), "minute {}", minute);
        }
    }
}
