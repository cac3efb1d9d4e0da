//! A bureau has places inspected everywhere below it, within days (rule 5.5).

use chrono::NaiveDate;
use uuid::Uuid;

use super::schedule::Level;
use crate::domain::checklist::template::TemplateId;
use crate::domain::numbered::numbered;

numbered! {
    /// The place of a campaign in its life cycle; the numbers are those of the contract.
    State {
        /// Inspections count for it.
        Open = 1 "OPEN",
        /// Over.
        Closed = 2 "CLOSED",
        /// Called off.
        Cancelled = 3 "CANCELLED",
    }
}

numbered! {
    /// What leads to a campaign; the numbers are those of the contract.
    Occasion {
        /// The flood season.
        FloodSeason = 1 "FLOOD_SEASON",
        /// The beginning of a term.
        BeforeTerm = 2 "BEFORE_TERM",
        /// Holidays.
        Holiday = 3 "HOLIDAY",
        /// Examinations.
        Examination = 4 "EXAMINATION",
        /// A spot check.
        SpotCheck = 5 "SPOT_CHECK",
        /// Schools resume teaching.
        Resumption = 6 "RESUMPTION",
        /// Anything else.
        Other = 7 "OTHER",
    }
}

/// What is done with a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It is over.
    Close,
    /// It is called off.
    Cancel,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 2] = [Self::Close, Self::Cancel];
}

impl State {
    /// The state after `verb`.
    ///
    /// # Errors
    /// The state itself, when the verb does not start from it.
    pub fn after(self, verb: Verb) -> Result<Self, Self> {
        match (self, verb) {
            (Self::Open, Verb::Close) => Ok(Self::Closed),
            (Self::Open, Verb::Cancel) => Ok(Self::Cancelled),
            (state, _) => Err(state),
        }
    }
}

/// A campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// Sorts by when it was called.
    pub id: Uuid,
    /// The id of the bureau.
    pub organization: String,
    /// Its place in the tree.
    pub org_path: String,
    /// Where it is in its life cycle.
    pub state: State,
    /// Shown to people.
    pub display_name: String,
    /// What leads to it.
    pub occasion: Occasion,
    /// By which list; other versions count as well.
    pub template: TemplateId,
    /// Who inspects.
    pub level: Level,
    /// The first day on which inspections count.
    pub start: NaiveDate,
    /// The last day in time.
    pub end: NaiveDate,
}

numbered! {
    /// Whether a target was inspected; the numbers are those of the contract.
    TargetState {
        /// Not done, and there is time, or the campaign was called off.
        Due = 1 "DUE",
        /// Done in time.
        Inspected = 2 "INSPECTED",
        /// Done after the last day.
        InspectedLate = 3 "INSPECTED_LATE",
        /// Not done when time was over.
        NotInspected = 4 "NOT_INSPECTED",
    }
}

impl Campaign {
    /// Whether what was not inspected is a finding by now.
    pub fn is_over(&self, today: NaiveDate) -> bool {
        match self.state {
            State::Open => today > self.end,
            State::Closed => true,
            State::Cancelled => false,
        }
    }

    /// What became of a target that was inspected on a day, or not at all.
    pub fn target(&self, inspected: Option<NaiveDate>, today: NaiveDate) -> TargetState {
        match inspected {
            Some(day) if day > self.end => TargetState::InspectedLate,
            Some(_) => TargetState::Inspected,
            None if self.is_over(today) => TargetState::NotInspected,
            None => TargetState::Due,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2022, 4, day).unwrap()
    }

    fn campaign(state: State) -> Campaign {
        Campaign {
            id: Uuid::nil(),
            organization: "fz".to_owned(),
            org_path: "fz".to_owned(),
            state,
            display_name: "汛期检查".to_owned(),
            occasion: Occasion::FloodSeason,
            template: "flood~1".parse().unwrap(),
            level: Level::School,
            start: day(6),
            end: day(15),
        }
    }

    #[test]
    fn exactly_the_legal_moves_are_taken() {
        for state in State::ALL {
            for verb in Verb::ALL {
                let to = match (state, verb) {
                    (State::Open, Verb::Close) => Ok(State::Closed),
                    (State::Open, Verb::Cancel) => Ok(State::Cancelled),
                    _ => Err(*state),
                };
                assert_eq!(state.after(verb), to, "{state:?} {verb:?}");
            }
        }
    }

    #[test]
    fn what_nobody_inspected_in_time_is_a_finding() {
        let open = campaign(State::Open);
        assert_eq!(open.target(None, day(15)), TargetState::Due);
        assert_eq!(open.target(None, day(16)), TargetState::NotInspected);
        assert_eq!(open.target(Some(day(15)), day(20)), TargetState::Inspected);
        assert_eq!(
            open.target(Some(day(16)), day(20)),
            TargetState::InspectedLate
        );
        let closed = campaign(State::Closed);
        assert_eq!(closed.target(None, day(7)), TargetState::NotInspected);
        let cancelled = campaign(State::Cancelled);
        assert_eq!(cancelled.target(None, day(20)), TargetState::Due);
    }
}
