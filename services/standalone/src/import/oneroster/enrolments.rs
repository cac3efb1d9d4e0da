//! Enrolments: the home class of each student, the class that a teacher heads.

use chrono::NaiveDate;

use super::classes::State;
use super::words::Part;
use super::{Cells, Delivery, Known, Pass, key};
use crate::import::note::Note;
use crate::import::options::ReadOptions;
use crate::import::piece::Sink;

const FILE: &str = "enrollments.csv";
const NEEDED: [&str; 2] = ["classsourcedid", "usersourcedid"];

impl Delivery {
    /// Finds home classes first, then explains which enrolments are not registered.
    pub(super) fn enrolments(
        &self,
        options: &ReadOptions,
        known: &mut Known,
        sink: &mut Sink<'_>,
    ) -> anyhow::Result<()> {
        self.each(FILE, &NEEDED, Pass::Speaks, sink, |cells, _| {
            learn(cells, options, known);
            Ok(())
        })?;
        self.each(FILE, &NEEDED, Pass::Silent, sink, |cells, sink| {
            cells.remark_modified(sink)?;
            match objection(cells, known) {
                Some(note) => sink.note(note, &cells.origin),
                None => Ok(()),
            }
        })
    }
}

fn learn(cells: &Cells<'_>, options: &ReadOptions, known: &mut Known) {
    let Some(place) = known.classes.get(cells.get("classsourcedid")).copied() else {
        return;
    };
    let (Some(class), Ok(number)) = (known.list.get(place), u32::try_from(place)) else {
        return;
    };
    if cells.is_removal() || !matches!(class.state, State::Home | State::Leaving) {
        return;
    }
    let user = key(cells.get("usersourcedid"));
    let primary = cells.get("primary").eq_ignore_ascii_case("true");
    let students = cells.get("role").eq_ignore_ascii_case("student");
    match (known.people.parts.get(&user), students) {
        (Some(Part::Student), true) => {
            let rank = u8::from(class.state == State::Home) * 8
                + u8::from(in_force(cells, options.day)) * 4
                + u8::from(primary) * 2
                + u8::from(class.homeroom);
            let home = known.people.homes.entry(user).or_insert((number, rank));
            if rank > home.1 {
                *home = (number, rank);
            }
        }
        // Teachers head only what is said to be theirs.
        (Some(Part::Staff), false) if primary && class.state == State::Home => {
            known.people.heads.entry(user).or_insert(number);
        }
        _ => {}
    }
}

/// Whether an enrolment has begun and not ended; open ends are in force.
fn in_force(cells: &Cells<'_>, day: NaiveDate) -> bool {
    let date = |name: &str| cells.get(name).parse::<NaiveDate>().ok();
    date("begindate").is_none_or(|begin| begin <= day)
        && date("enddate").is_none_or(|end| end >= day)
}

/// Why an enrolment is not registered, where its class does not say that.
fn objection(cells: &Cells<'_>, known: &Known) -> Option<Note> {
    if cells.is_removal() {
        return None;
    }
    let user = key(cells.get("usersourcedid"));
    let Some(part) = known.people.parts.get(&user) else {
        return Some(Note::orphan("userSourcedId"));
    };
    let place = known.classes.get(cells.get("classsourcedid"));
    let Some(class) = place.and_then(|place| known.list.get(*place)) else {
        return Some(Note::unknown_class("classSourcedId"));
    };
    let student = cells.get("role").eq_ignore_ascii_case("student");
    if student != (*part == Part::Student) {
        return Some(Note::enrolment_role("role"));
    }
    match class.state {
        State::Course => None,
        State::Refused => Some(Note::class_refused("classSourcedId")),
        State::Leaving => Some(Note::leaving("classSourcedId")),
        State::Home => {
            let home = known.people.homes.get(&user).map(|(home, _)| *home);
            let here = place.and_then(|place| u32::try_from(*place).ok());
            (student && home != here).then(|| Note::extra("classSourcedId"))
        }
    }
}
