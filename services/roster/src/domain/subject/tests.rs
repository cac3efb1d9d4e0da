//! What becomes of a request, by when, and what is told.

use chrono::NaiveDate;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn filed(kind: Kind) -> SubjectRequest {
    SubjectRequest {
        filed: Filed {
            person: Person::Student(Uuid::from_u128(7)),
            kind,
            asker: Asker::Guardian,
            identity_check: "户口簿与身份证原件".to_owned(),
            fields: Vec::new(),
            by: "clerk".to_owned(),
            time: 1,
            day: day("2022-04-07"),
        },
        closed: None,
    }
}

fn holding(service: &str) -> Holding {
    Holding {
        service: service.to_owned(),
        holds: true,
        statement: "采样记录与结果，已当面交付".to_owned(),
    }
}

fn answer(services: &[&str]) -> Close {
    Close::Answer {
        text: "已当面答复".to_owned(),
        holdings: services.iter().map(|service| holding(service)).collect(),
    }
}

fn closes() -> [Close; 3] {
    [
        answer(&OTHERS),
        Close::Refuse("个人信息保护法第四十五条".to_owned()),
        Close::Withdraw,
    ]
}

#[test]
fn a_request_is_closed_once_and_in_whichever_way_stays_so() {
    let states = [State::Answered, State::Refused, State::Withdrawn];
    for (close, state) in closes().into_iter().zip(states) {
        let closed = filed(Kind::Access).close(close, "head", (2, day("2022-04-08")));
        let closed = closed.unwrap();
        assert_eq!(closed.state(), state);
        for again in closes() {
            let again = closed.clone().close(again, "head", (3, day("2022-04-09")));
            assert_eq!(again, Err(Incomplete::State(state)));
        }
    }
}

#[test]
fn an_answer_about_what_is_held_leaves_no_service_out() {
    let close = |kind, services: &[&str]| {
        let closed = filed(kind).close(answer(services), "head", (2, day("2022-04-08")));
        closed.map(|closed| closed.state())
    };
    let missing = |service: &str| Err(Incomplete::Service(service.to_owned()));
    for kind in [Kind::Access, Kind::Copy] {
        assert_eq!(close(kind, &OTHERS), Ok(State::Answered));
        assert_eq!(close(kind, &OTHERS[..2]), missing("notification"));
        assert_eq!(close(kind, &[]), missing("sampling"));
    }
    for kind in [Kind::Correction, Kind::Deletion] {
        assert_eq!(close(kind, &[]), Ok(State::Answered));
        assert_eq!(close(kind, &["sampling", "sampling"]), missing("sampling"));
        assert_eq!(close(kind, &["roster"]), missing("roster"));
    }
}

#[test]
fn the_clock_is_thirty_days_and_what_came_late_stays_late() {
    let waiting = filed(Kind::Access);
    assert_eq!(waiting.due(), day("2022-05-07"));
    assert!(!waiting.overdue(day("2022-05-07")));
    assert!(waiting.overdue(day("2022-05-08")));
    let at = |day| (2, day);
    let late = waiting
        .clone()
        .close(Close::Withdraw, "clerk", at(day("2022-05-08")));
    assert!(late.unwrap().overdue(day("2022-06-01")));
    let timely = waiting.close(Close::Withdraw, "clerk", at(day("2022-05-07")));
    assert!(!timely.unwrap().overdue(day("2022-06-01")));
}

#[test]
fn nobody_under_fourteen_asks_alone() {
    let today = day("2022-04-07");
    assert!(may_ask_alone(200_803, today));
    for month in [200_804, 201_209, 0, 200_800, 200_813] {
        assert!(!may_ask_alone(month, today), "{month}");
    }
}

proptest! {
    #[test]
    fn whoever_asks_alone_is_fourteen(born in 0_i64..40_000, later in 0_i64..20_000) {
        let birth = day("1950-01-01") + chrono::Duration::days(born);
        let today = birth + chrono::Duration::days(later);
        let month: i32 = birth.format("%Y%m").to_string().parse().unwrap();
        if may_ask_alone(month, today) {
            prop_assert!(today.years_since(birth).is_some_and(|age| age >= 14));
        }
    }
}
