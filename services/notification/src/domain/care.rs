//! What is done each school day for a pupil who is isolated or at home (rule 5.42).

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

/// What is to be done; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Lessons of the day reach the pupil.
    Lessons = 1,
    /// Physical exercise of the day.
    Exercise = 2,
    /// Somebody asks how the pupil is.
    Call = 3,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Lessons, Self::Exercise, Self::Call];
}

/// Whether it is done; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// To be done.
    Due = 1,
    /// Done, in time or late.
    Done = 2,
    /// Its time passed.
    Overdue = 3,
    /// The pupil was free again before.
    Dropped = 4,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Due, Self::Done, Self::Overdue, Self::Dropped];

    /// The name in the contract, without prefix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Due => "DUE",
            Self::Done => "DONE",
            Self::Overdue => "OVERDUE",
            Self::Dropped => "DROPPED",
        }
    }
}

/// One thing to be done for one pupil on one day. Why the pupil is not at school is not known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The school.
    pub organization: String,
    /// The id below the school.
    pub id: Uuid,
    /// The id of the class group.
    pub class_group: String,
    /// Where the class group stands.
    pub org_path: String,
    /// The pupil.
    pub student: Uuid,
    /// What is to be done.
    pub kind: Kind,
    /// Whether it is done.
    pub state: State,
    /// The civil day.
    pub day: NaiveDate,
    /// It is done by then.
    pub due: DateTime<Utc>,
    /// When it was done.
    pub completed: Option<DateTime<Utc>>,
    /// The subject who said so; empty before.
    pub completer: String,
    /// It was not done in time.
    pub late: bool,
    /// When those above the school hear that it is still not done; none when they will not.
    pub above: Option<DateTime<Utc>>,
}

/// What happens to a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// This subject says that it is done.
    Complete(String),
    /// Its time passed; if it is not done at this instant either, those above the school hear of it.
    Pass(DateTime<Utc>),
    /// The pupil is free again.
    Drop,
}

/// The verb does not start from this state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the task is {}", .0.as_str())]
pub struct Refused(pub State);

impl Task {
    /// The task as it is at `now`.
    #[must_use]
    pub fn at(self, now: DateTime<Utc>) -> Self {
        if self.state == State::Due && self.due < now {
            Self {
                state: State::Overdue,
                late: true,
                ..self
            }
        } else {
            self
        }
    }

    /// Moves on.
    ///
    /// # Errors
    /// [`Refused`] when the verb does not start from here.
    pub fn apply(self, verb: Verb, now: DateTime<Utc>) -> Result<Self, Refused> {
        let from = self.state;
        let mut task = self.at(now);
        match (verb, task.state) {
            (Verb::Complete(subject), State::Due | State::Overdue) => {
                task.state = State::Done;
                task.completed = Some(now);
                task.completer = subject;
                task.above = None;
            }
            (Verb::Pass(above), State::Overdue) if from == State::Due => task.above = Some(above),
            (Verb::Drop, State::Due | State::Overdue) => {
                task.state = State::Dropped;
                task.above = None;
            }
            (_, state) => return Err(Refused(state)),
        }
        Ok(task)
    }
}

#[cfg(test)]
mod tests {
    use chrono::Duration;
    use proptest::prelude::*;

    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_649_208_600, 0).unwrap() + Duration::minutes(minutes)
    }

    fn task(state: State) -> Task {
        Task {
            organization: "2135010001".to_owned(),
            id: Uuid::from_u128(1),
            class_group: "p2019-01".to_owned(),
            org_path: "fz/350102/2135010001/p2019-01".to_owned(),
            student: Uuid::from_u128(2),
            kind: Kind::Lessons,
            state,
            day: NaiveDate::from_ymd_opt(2022, 4, 6).unwrap(),
            due: at(60),
            completed: None,
            completer: String::new(),
            late: state == State::Overdue,
            above: (state == State::Overdue).then(|| at(120)),
        }
    }

    fn pass() -> Verb {
        Verb::Pass(at(120))
    }

    fn complete() -> Verb {
        Verb::Complete("reporter-1".to_owned())
    }

    #[test]
    fn every_verb_starts_from_its_own_states_only() {
        use State::{Done, Dropped, Due, Overdue};
        for (state, minute, completed, passed, dropped) in [
            (Due, 60, Ok((Done, false)), Err(Due), Ok((Dropped, false))),
            (
                Due,
                61,
                Ok((Done, true)),
                Ok((Overdue, true)),
                Ok((Dropped, true)),
            ),
            (
                Overdue,
                61,
                Ok((Done, true)),
                Err(Overdue),
                Ok((Dropped, true)),
            ),
            (Done, 61, Err(Done), Err(Done), Err(Done)),
            (Dropped, 61, Err(Dropped), Err(Dropped), Err(Dropped)),
        ] {
            let verbs = [
                (complete(), completed),
                (pass(), passed),
                (Verb::Drop, dropped),
            ];
            for (verb, expected) in verbs {
                let moved = task(state).apply(verb.clone(), at(minute));
                // Those above hear of nothing but what is overdue.
                if let Ok(moved) = &moved {
                    let above = (moved.state == Overdue).then(|| at(120));
                    assert_eq!(moved.above, above, "{verb:?} from {}", state.as_str());
                }
                let moved = moved.map(|task| (task.state, task.late));
                let moved = moved.map_err(|Refused(state)| state);
                assert_eq!(moved, expected, "{verb:?} from {}", state.as_str());
            }
        }
    }

    proptest! {
        #[test]
        fn late_is_never_taken_back(
            acts in proptest::collection::vec((0usize..3, 0i64..40), 0..8),
        ) {
            let (mut task, mut minute) = (task(State::Due), 0);
            for (number, step) in acts {
                minute += step;
                let verb = [complete(), pass(), Verb::Drop][number].clone();
                let was_late = task.late;
                if let Ok(moved) = task.clone().apply(verb, at(minute)) {
                    prop_assert!(moved.late || !was_late);
                    let in_time = task.state == State::Due && minute <= 60;
                    prop_assert_eq!(moved.late, !in_time);
                    task = moved;
                }
            }
        }
    }
}
