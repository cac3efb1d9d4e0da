//! Meetings of several organisations, in one or more rooms (rules 5.38, 5.40).

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::audience::Audience;
use super::place::contains;

/// The place of a meeting in its life cycle; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Called, and not over.
    Convened = 1,
    /// Over.
    Ended = 2,
    /// Over, and its minutes are published.
    Minuted = 3,
    /// Called off.
    Cancelled = 4,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Convened, Self::Ended, Self::Minuted, Self::Cancelled];

    /// The name in the contract, without prefix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Convened => "CONVENED",
            Self::Ended => "ENDED",
            Self::Minuted => "MINUTED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

/// A room of a meeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Venue {
    /// Unique within the meeting.
    pub id: String,
    /// Where it is.
    pub display_name: String,
    /// It is the main one (主会场); the others are branches (分会场).
    pub main: bool,
    /// The organisation id whose people are expected here; may be empty for the main one.
    pub organization: String,
    /// Where that organisation stands; empty without one.
    pub org_path: String,
}

/// A meeting of several organisations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meeting {
    /// The organisation id of who called it.
    pub organization: String,
    /// The id.
    pub id: Uuid,
    /// Where the one who called it stands in the tree.
    pub org_path: String,
    /// Where it is in its life cycle.
    pub state: State,
    /// The heading.
    pub title: String,
    /// What it is about.
    pub agenda: String,
    /// When it begins.
    pub start: DateTime<Utc>,
    /// When it is expected to be over.
    pub end: DateTime<Utc>,
    /// The rooms.
    pub venues: Vec<Venue>,
    /// The organisations that are expected.
    pub audience: Audience,
    /// Who of each of them, such as `PRINCIPAL`.
    pub posts: Vec<String>,
    /// The resource name of the directive that is its notice; may be empty.
    pub notice: String,
    /// Who called it.
    pub convener: String,
    /// When it was called.
    pub created: DateTime<Utc>,
    /// When it was ended or called off.
    pub closed: Option<DateTime<Utc>>,
    /// The minutes, once published.
    pub minutes: String,
    /// The resource name of the directive that the minutes became; empty before.
    pub directive: String,
    /// Why it was called off, or else postponed last; empty when nobody said.
    pub change_reason: String,
    /// Guards against lost updates.
    pub version: i64,
}

/// What is done with a meeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It is over.
    End,
    /// It is held later.
    Postpone {
        /// When it begins.
        start: DateTime<Utc>,
        /// When it is expected to be over.
        end: DateTime<Utc>,
        /// Why; may be empty.
        reason: String,
    },
    /// It is called off.
    Cancel {
        /// Why; may be empty.
        reason: String,
    },
    /// Its minutes became a directive.
    Publish {
        /// The minutes.
        minutes: String,
        /// The resource name of the directive.
        directive: String,
    },
}

/// The verb does not start from this state, or the meeting has not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the meeting is {}", .0.as_str())]
pub struct Refused(pub State);

impl Meeting {
    /// Moves on.
    ///
    /// # Errors
    /// [`Refused`] when the verb does not start from here, or before the begin.
    pub fn apply(self, verb: Verb, now: DateTime<Utc>) -> Result<Self, Refused> {
        match (verb, self.state) {
            (Verb::End, State::Convened) if now >= self.start => Ok(Self {
                state: State::Ended,
                closed: Some(now),
                ..self
            }),
            (Verb::Postpone { start, end, reason }, State::Convened) => Ok(Self {
                start,
                end,
                change_reason: reason,
                ..self
            }),
            (Verb::Cancel { reason }, State::Convened) => Ok(Self {
                state: State::Cancelled,
                closed: Some(now),
                change_reason: reason,
                ..self
            }),
            (Verb::Publish { minutes, directive }, State::Ended) => Ok(Self {
                state: State::Minuted,
                minutes,
                directive,
                ..self
            }),
            (_, state) => Err(Refused(state)),
        }
    }

    /// The room of this id.
    pub fn venue(&self, id: &str) -> Option<&Venue> {
        self.venues.iter().find(|venue| venue.id == id)
    }
}

/// The id of the room where whoever is at `place` is expected: the branch of the nearest organisation
/// at or above it, else the main one.
pub fn venue_of<'a>(venues: &'a [Venue], place: &str) -> &'a str {
    let branches = venues.iter().filter(|venue| !venue.main);
    let near = branches.filter(|venue| contains(&venue.org_path, place));
    let nearest = near.max_by_key(|venue| venue.org_path.len());
    let main = || venues.iter().find(|venue| venue.main);
    nearest.or_else(main).map_or("", |venue| &venue.id)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::domain) fn start() -> DateTime<Utc> {
        "2022-04-06T12:00:00Z".parse().unwrap()
    }

    fn venue(id: &str, org_path: &str) -> Venue {
        Venue {
            id: id.to_owned(),
            display_name: "会议室".to_owned(),
            main: id == "main",
            organization: org_path.rsplit('/').next().unwrap().to_owned(),
            org_path: org_path.to_owned(),
        }
    }

    pub(in crate::domain) fn meeting(state: State) -> Meeting {
        Meeting {
            organization: "fz".to_owned(),
            id: Uuid::from_u128(1),
            org_path: "fz".to_owned(),
            state,
            title: "校园疫情防控视频会议".to_owned(),
            agenda: String::new(),
            start: start(),
            end: start() + chrono::Duration::hours(2),
            venues: vec![
                venue("main", ""),
                venue("b1", "fz/b1"),
                venue("b2", "fz/b2"),
            ],
            audience: Audience::of(vec!["fz".to_owned()]),
            posts: vec!["PRINCIPAL".to_owned()],
            notice: String::new(),
            convener: "convener".to_owned(),
            created: start() - chrono::Duration::days(1),
            closed: None,
            minutes: String::new(),
            directive: String::new(),
            change_reason: String::new(),
            version: 1,
        }
    }

    fn postpone() -> Verb {
        let start = start() + chrono::Duration::days(1);
        Verb::Postpone {
            start,
            end: start + chrono::Duration::hours(1),
            reason: "台风".to_owned(),
        }
    }

    #[test]
    fn a_meeting_that_is_postponed_is_held_at_its_new_time() {
        let postponed = meeting(State::Convened).apply(postpone(), start());
        let postponed = postponed.unwrap();
        assert_eq!(
            (postponed.start, postponed.end, &*postponed.change_reason),
            (
                start() + chrono::Duration::hours(24),
                start() + chrono::Duration::hours(25),
                "台风"
            )
        );
        let early = postponed.clone().apply(Verb::End, start());
        assert_eq!(early, Err(Refused(State::Convened)));
        let ended = postponed.clone().apply(Verb::End, postponed.start);
        assert_eq!(ended.map(|ended| ended.state), Ok(State::Ended));
    }

    #[test]
    fn exactly_the_legal_moves_are_taken() {
        let publish = || Verb::Publish {
            minutes: "纪要".to_owned(),
            directive: "organizations/fz/directives/d".to_owned(),
        };
        let cancel = || Verb::Cancel {
            reason: "台风".to_owned(),
        };
        for state in State::ALL {
            for verb in [Verb::End, postpone(), cancel(), publish()] {
                let to = match (&verb, state) {
                    (Verb::End, State::Convened) => Ok(State::Ended),
                    (Verb::Postpone { .. }, State::Convened) => Ok(State::Convened),
                    (Verb::Cancel { .. }, State::Convened) => Ok(State::Cancelled),
                    (Verb::Publish { .. }, State::Ended) => Ok(State::Minuted),
                    _ => Err(Refused(state)),
                };
                let moved = meeting(state).apply(verb.clone(), start());
                assert_eq!(moved.map(|moved| moved.state), to, "{state:?} {verb:?}");
            }
        }
        let early = start() - chrono::Duration::seconds(1);
        let refused = meeting(State::Convened).apply(Verb::End, early);
        assert_eq!(refused, Err(Refused(State::Convened)));
    }

    #[test]
    fn everybody_is_expected_at_the_nearest_branch_or_the_main_venue() {
        let venues = [
            venue("main", ""),
            venue("b1", "fz/b1"),
            venue("zone", "fz/b1/z"),
        ];
        for (place, expected) in [
            ("fz/b1", "b1"),
            ("fz/b1/s1", "b1"),
            ("fz/b1/z/s2", "zone"),
            ("fz/b10", "main"),
            ("fz/m1", "main"),
        ] {
            assert_eq!(venue_of(&venues, place), expected, "{place}");
        }
    }
}
