//! Hazards and people for tests.

use chrono::NaiveDate;
use uuid::Uuid;

use super::course::Measure;
use super::entry::{Actor, Hazard, Home, LedgerNumber, Moment, Opening};
use super::major::{Fact, Value};
use super::report::{Category, Report, Source};
use super::state::{Grade, State};
use super::terms::{Setting, Terms};
use super::verb::{Plan, Verb};
use crate::domain::organization::Level;
use crate::domain::photo::Photo;

pub(super) const OWNER: &str = "staff/owner";
pub(super) const OFFICER: &str = "staff/officer";
pub(super) const DISTRICT: &str = "district";
pub(super) const CITY: &str = "city";

pub(super) fn day(offset: i64) -> NaiveDate {
    let first = NaiveDate::from_ymd_opt(2022, 4, 6).unwrap();
    first + chrono::Duration::days(offset)
}

/// Noon of the day `offset` after the first one.
pub(super) fn on(offset: i64) -> Moment {
    let today = day(offset);
    Moment {
        at: today.and_hms_opt(4, 0, 0).unwrap().and_utc(),
        today,
    }
}

pub(super) fn setting() -> Setting {
    Setting {
        home: Level::School,
        district: true,
        terms: Terms::default(),
    }
}

pub(super) fn actor(name: &str) -> Actor {
    let level = match name {
        CITY => Level::City,
        DISTRICT => Level::District,
        _ => Level::School,
    };
    Actor {
        name: name.to_owned(),
        subject: format!("subject-of-{name}"),
        level,
    }
}

pub(super) fn photo(number: u8, offset: i64) -> Photo {
    Photo {
        sha256: [number; 32],
        uri: String::new(),
        taken: on(offset).at,
        location: None,
        place: String::new(),
    }
}

pub(super) fn reported() -> Hazard {
    let report = Report {
        place: "building-3".to_owned(),
        category: Category::Fire,
        description: "疏散通道堆物".to_owned(),
        photos: Vec::new(),
        source: Source::Own,
        origin: String::new(),
        major_rules: Vec::new(),
        proposed: None,
        clause: None,
    };
    let opening = Opening {
        id: Uuid::from_u128(1),
        home: Home {
            organization: "school".to_owned(),
            org_path: "fz/350102/school".to_owned(),
        },
        number: LedgerNumber {
            year: 2022,
            sequence: 1,
        },
        facts: vec![Fact {
            key: "floor".to_owned(),
            value: Value::Number(3),
        }],
        recurrence_of: String::new(),
        finder: "staff/finder".to_owned(),
    };
    Hazard::open(opening, &report, on(0), &setting())
}

pub(super) fn verify(grade: Grade) -> Verb {
    Verb::Verify {
        grade,
        at_once: false,
        facts: Vec::new(),
        major_rules: Vec::new(),
        note: String::new(),
    }
}

pub(super) fn plan(due: NaiveDate) -> Plan {
    Plan {
        owner: OWNER.to_owned(),
        measures: "清理通道".to_owned(),
        budget_fen: 0,
        due,
        contingency_plan: "专人值守".to_owned(),
    }
}

pub(super) fn submit(photos: Vec<Photo>) -> Verb {
    Verb::Submit {
        statement: "已清理".to_owned(),
        before: vec![photo(1, 0)],
        photos,
    }
}

/// The verbs that lead on, with who does them.
fn way(grade: Grade) -> Vec<(&'static str, Verb, State)> {
    let stop = Verb::Control(vec![Measure::StopUse], "停用".to_owned());
    let mut way = vec![
        (OFFICER, verify(grade), State::Verified),
        (OFFICER, stop, State::InterimControl),
    ];
    way.extend([
        (OFFICER, Verb::Assign(plan(day(10))), State::Assigned),
        (OWNER, Verb::Rectify, State::Rectifying),
        (OWNER, submit(vec![photo(2, 0)]), State::Submitted),
        (DISTRICT, Verb::Review, State::Reviewing),
    ]);
    way
}

/// A hazard of this grade in this state, all of it on the first day.
pub(super) fn hazard(grade: Grade, state: State) -> Hazard {
    let mut hazard = reported();
    let last = match state {
        State::Closed => Some(Verb::Close(String::new())),
        State::Returned => Some(Verb::Return("不够".to_owned())),
        State::Dismissed => {
            let verb = Verb::Dismiss("不是隐患".to_owned());
            return hazard
                .apply(verb, &actor(OFFICER), on(0), &setting())
                .unwrap();
        }
        _ => None,
    };
    for (who, verb, reached) in way(grade) {
        if hazard.state == state {
            return hazard;
        }
        hazard = hazard.apply(verb, &actor(who), on(0), &setting()).unwrap();
        assert_eq!(hazard.state, reached);
    }
    match last {
        Some(verb) => hazard
            .apply(verb, &actor(DISTRICT), on(0), &setting())
            .unwrap(),
        None => hazard,
    }
}
