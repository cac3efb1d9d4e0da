//! The life of an inspection (rules 4.2, 5.5).

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::schedule::Level;
use crate::domain::checklist::item::PlaceKind;
use crate::domain::checklist::template::TemplateId;
use crate::domain::numbered::numbered;

numbered! {
    /// The place of an inspection in its life cycle; the numbers are those of the contract.
    State {
        /// Planned, and not begun.
        Planned = 1 "PLANNED",
        /// Being answered.
        Running = 2 "RUNNING",
        /// Over, and told to whoever answers for the place.
        Submitted = 3 "SUBMITTED",
        /// Accepted by whoever answers for the place.
        Confirmed = 4 "CONFIRMED",
        /// Disputed by whoever answers for the place.
        Disputed = 5 "DISPUTED",
        /// Given up; counts as none.
        Cancelled = 6 "CANCELLED",
    }
}

/// What is done with an inspection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It begins.
    Start,
    /// Answers are handed in.
    Record,
    /// It ends and is scored.
    Submit,
    /// What was found is accepted.
    Confirm,
    /// What was found is disputed.
    Dispute,
    /// It is given up.
    Cancel,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 6] = [
        Self::Start,
        Self::Record,
        Self::Submit,
        Self::Confirm,
        Self::Dispute,
        Self::Cancel,
    ];
}

impl State {
    /// The state after `verb`; none when the verb does not start from here.
    pub fn after(self, verb: Verb) -> Option<Self> {
        match (self, verb) {
            (Self::Planned, Verb::Start) => Some(Self::Running),
            (Self::Running, Verb::Record) => Some(Self::Running),
            (Self::Running, Verb::Submit) => Some(Self::Submitted),
            (Self::Submitted | Self::Disputed, Verb::Confirm) => Some(Self::Confirmed),
            (Self::Submitted, Verb::Dispute) => Some(Self::Disputed),
            (Self::Planned | Self::Running, Verb::Cancel) => Some(Self::Cancelled),
            _ => None,
        }
    }
}

/// What an inspection came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// How many items failed.
    pub failed: u32,
    /// How many are not applicable.
    pub not_applicable: u32,
    /// In thousandths; none when nothing was applicable.
    pub score: Option<u32>,
    /// How many of its photos other organisations had shown.
    pub borrowed: u32,
    /// How many of its photos were taken somewhere else.
    pub misplaced: u32,
}

/// An inspection of one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Sorts by when it was planned.
    pub id: Uuid,
    /// The id of the organisation.
    pub organization: String,
    /// Its place in the tree.
    pub org_path: String,
    /// Where it is in its life cycle.
    pub state: State,
    /// The list.
    pub template: TemplateId,
    /// What was added to it when the inspection was planned.
    pub added: Vec<TemplateId>,
    /// What is inspected.
    pub place_kind: PlaceKind,
    /// The place within the organisation; empty for all of it.
    pub place: String,
    /// Who inspects.
    pub level: Level,
    /// For which civil day it is planned.
    pub planned: NaiveDate,
    /// Who began it; empty before.
    pub inspector: String,
    /// Who answers for the place: `staff/{staff_member}`; empty when nobody is named.
    pub answerable: String,
    /// How many items it has.
    pub items: u32,
    /// What it came to, once submitted.
    pub figures: Figures,
    /// When it was planned.
    pub created: DateTime<Utc>,
    /// When it was begun.
    pub started: Option<DateTime<Utc>>,
    /// When it was submitted.
    pub submitted: Option<DateTime<Utc>>,
}

/// Why a verb is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The verb does not start from this state.
    #[error("the inspection is {}", .0.as_str())]
    State(State),
    /// Whoever answers for the place does not inspect it for a bureau or another authority.
    #[error("the inspector answers for the place")]
    OwnPlace,
    /// Only its inspector does this.
    #[error("somebody else inspects")]
    Inspector,
    /// Only whoever answers for the place does this.
    #[error("somebody else answers for the place")]
    NotAnswerable,
}

impl Inspection {
    /// Its resource name.
    pub fn name(&self) -> String {
        let (organization, id) = (&self.organization, self.id.hyphenated());
        format!("organizations/{organization}/inspections/{id}")
    }

    /// Moves on, by the hand of `actor`.
    ///
    /// # Errors
    /// [`Refused`], the state before the person.
    pub fn apply(self, verb: Verb, actor: &str, now: DateTime<Utc>) -> Result<Self, Refused> {
        let state = self.state.after(verb).ok_or(Refused::State(self.state))?;
        let owns = !self.answerable.is_empty() && self.answerable == actor;
        match verb {
            Verb::Start if owns && self.level.is_outside() => Err(Refused::OwnPlace),
            Verb::Record | Verb::Submit if actor != self.inspector => Err(Refused::Inspector),
            Verb::Submit if owns && self.level.is_outside() => Err(Refused::OwnPlace),
            // Where nobody is named, anybody who may confirm there does, but the inspector.
            Verb::Confirm | Verb::Dispute
                if !owns && (!self.answerable.is_empty() || self.inspector == actor) =>
            {
                Err(Refused::NotAnswerable)
            }
            Verb::Start => Ok(Self {
                state,
                inspector: actor.to_owned(),
                started: Some(now),
                ..self
            }),
            Verb::Submit => Ok(Self {
                state,
                submitted: Some(now),
                ..self
            }),
            Verb::Record | Verb::Confirm | Verb::Dispute | Verb::Cancel => {
                Ok(Self { state, ..self })
            }
        }
    }

    /// Whether its day is past and it was not submitted.
    pub fn is_overdue(&self, today: NaiveDate) -> bool {
        matches!(self.state, State::Planned | State::Running) && self.planned < today
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WARDEN: &str = "staff/warden";
    const OFFICER: &str = "staff/officer";

    fn now() -> DateTime<Utc> {
        "2022-04-06T01:00:00Z".parse().unwrap()
    }

    fn inspection(state: State, level: Level) -> Inspection {
        Inspection {
            id: Uuid::from_u128(1),
            organization: "s".to_owned(),
            org_path: "fz/d/s".to_owned(),
            state,
            template: "fire~1".parse().unwrap(),
            added: Vec::new(),
            place_kind: PlaceKind::School,
            place: String::new(),
            level,
            planned: NaiveDate::from_ymd_opt(2022, 4, 6).unwrap(),
            inspector: OFFICER.to_owned(),
            answerable: WARDEN.to_owned(),
            items: 1,
            figures: Figures::default(),
            created: now(),
            started: None,
            submitted: None,
        }
    }

    fn table(state: State, verb: Verb) -> Result<State, Refused> {
        match (verb, state) {
            (Verb::Start, State::Planned) => Ok(State::Running),
            (Verb::Record, State::Running) => Ok(State::Running),
            (Verb::Submit, State::Running) => Ok(State::Submitted),
            (Verb::Confirm, State::Submitted | State::Disputed) => Ok(State::Confirmed),
            (Verb::Dispute, State::Submitted) => Ok(State::Disputed),
            (Verb::Cancel, State::Planned | State::Running) => Ok(State::Cancelled),
            _ => Err(Refused::State(state)),
        }
    }

    #[test]
    fn exactly_the_legal_moves_are_taken() {
        for state in State::ALL {
            for verb in Verb::ALL {
                let actor = match verb {
                    Verb::Confirm | Verb::Dispute => WARDEN,
                    _ => OFFICER,
                };
                let moved = inspection(*state, Level::Bureau).apply(verb, actor, now());
                let moved = moved.map(|moved| moved.state);
                assert_eq!(moved, table(*state, verb), "{state:?} {verb:?}");
            }
        }
    }

    #[test]
    fn whoever_answers_does_not_inspect_for_those_above() {
        for level in Level::ALL {
            let start = inspection(State::Planned, *level).apply(Verb::Start, WARDEN, now());
            let outside = matches!(level, Level::Bureau | Level::OtherAuthority);
            let refused = start.err() == Some(Refused::OwnPlace);
            assert_eq!(refused, outside, "{level:?}");
        }
        // Who became answerable while inspecting does not submit.
        let mut running = inspection(State::Running, Level::Bureau);
        running.answerable = OFFICER.to_owned();
        let submit = running.apply(Verb::Submit, OFFICER, now());
        assert_eq!(submit, Err(Refused::OwnPlace));
    }

    #[test]
    fn only_the_inspector_answers_and_only_who_answers_confirms() {
        for verb in [Verb::Record, Verb::Submit] {
            let other = inspection(State::Running, Level::School).apply(verb, WARDEN, now());
            assert_eq!(other, Err(Refused::Inspector), "{verb:?}");
        }
        for verb in [Verb::Confirm, Verb::Dispute] {
            let other = inspection(State::Submitted, Level::School).apply(verb, "staff/x", now());
            assert_eq!(other, Err(Refused::NotAnswerable), "{verb:?}");
            let mut unowned = inspection(State::Submitted, Level::School);
            unowned.answerable.clear();
            let own = unowned.clone().apply(verb, OFFICER, now());
            assert_eq!(own, Err(Refused::NotAnswerable), "{verb:?}");
            assert!(unowned.apply(verb, "staff/x", now()).is_ok(), "{verb:?}");
        }
    }
}
