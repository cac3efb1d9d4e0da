//! The numbers, by what they count.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::hazard::state::Grade;
use crate::domain::incident::harm::Level;
use crate::domain::numbered::numbered;
use crate::domain::weather::state::State as WeatherState;

numbered! {
    /// What is counted. The numbers are those of the tables.
    Metric {
        /// Hazards that are open and not graded.
        UngradedOpen = 1,
        /// Of them, those after their deadline.
        UngradedOverdue = 2,
        /// General hazards that are open.
        GeneralOpen = 3,
        /// Of them, those after their deadline.
        GeneralOverdue = 4,
        /// Major hazards that are open.
        MajorOpen = 5,
        /// Of them, those after their deadline.
        MajorOverdue = 6,
        /// Drills that are owed, with time left.
        DrillsDue = 7,
        /// Obligations of drills that were met.
        DrillsDone = 8,
        /// Obligations of drills that were not met in time.
        DrillsMissed = 9,
        /// Drills that count in these periods.
        DrillsCounted = 10,
        /// Somebody is on duty.
        OnDuty = 11,
        /// The leader may still come in time.
        DutyAwaited = 12,
        /// Nobody came in time.
        DutyUnattended = 13,
        /// A published roster has no shift now.
        DutyGap = 14,
        /// Inspections that are wanted.
        InspectionsDue = 15,
        /// Of them, those done.
        InspectionsDone = 16,
        /// Of them, those not done in time.
        InspectionsMissed = 17,
        /// Visitors and companions inside.
        VisitorsInside = 18,
        /// Of them, those inside for longer than agreed.
        VisitorsOverstaying = 19,
        /// Visits of emergencies under way.
        VisitEmergencies = 20,
        /// Warned.
        WeatherAlerted = 21,
        /// Suspended for the weather.
        WeatherSuspended = 22,
        /// The suspension is lifted, nothing is checked yet.
        WeatherLifted = 23,
        /// The sweep or the disinfection has begun.
        WeatherPostCheck = 24,
        /// Taught again.
        WeatherReopened = 25,
        /// Open tasks of the weather.
        TasksOpen = 26,
        /// Of them, those overdue.
        TasksOverdue = 27,
        /// The sweep or the disinfection is overdue.
        PostCheckOverdue = 28,
        /// Incidents of level I that are open and not confidential.
        IncidentsOne = 29,
        /// The same of level II.
        IncidentsTwo = 30,
        /// The same of level III.
        IncidentsThree = 31,
        /// The same of level IV.
        IncidentsFour = 32,
        /// Of them all, those of which something was late or is overdue.
        IncidentsLate = 33,
        /// Hops of such incidents that are overdue.
        HopsLate = 34,
        /// Full-time guards, with good evidence (rule 5.10).
        GuardsMet = 35,
        /// Said not to be.
        GuardsNotMet = 36,
        /// Their evidence has expired.
        GuardsLapsed = 37,
        /// Closed management, with good evidence (rule 5.10).
        ClosedMet = 38,
        /// Said not to be.
        ClosedNotMet = 39,
        /// Its evidence has expired.
        ClosedLapsed = 40,
        /// A one-key alarm, with good evidence (rule 5.10).
        AlarmMet = 41,
        /// Said not to be.
        AlarmNotMet = 42,
        /// Its evidence has expired.
        AlarmLapsed = 43,
        /// Findings in all parts of the protection.
        ProtectionFindings = 44,
        /// Items of supplies below their minimum.
        SuppliesBelow = 45,
        /// Of the drills that count, those that took longer than their target.
        DrillsSlow = 46,
        /// Schools on their way back to teaching.
        Resuming = 47,
        /// Of them, those that have answered nothing.
        ResumingSilent = 48,
        /// Of them, those in whose way something stands.
        ResumingBlocked = 49,
        /// The sum of their scores.
        ResumingScore = 50,
        /// Visits of emergencies whose entry in the book is overdue.
        VisitorsAfterEntryOverdue = 51,
        /// Rounds of the watch that nobody made.
        RoundsMissed = 52,
        /// Hazards that are open and whose deadline was moved.
        HazardsMoved = 53,
    }
}

impl Metric {
    /// Hazards that are open, and those of them after their deadline.
    pub fn of_hazards(grade: Option<Grade>) -> [Self; 2] {
        match grade {
            None => [Self::UngradedOpen, Self::UngradedOverdue],
            Some(Grade::General) => [Self::GeneralOpen, Self::GeneralOverdue],
            Some(Grade::Major) => [Self::MajorOpen, Self::MajorOverdue],
        }
    }

    /// Open incidents of a level.
    pub fn of_incidents(level: Level) -> Self {
        match level {
            Level::I => Self::IncidentsOne,
            Level::II => Self::IncidentsTwo,
            Level::III => Self::IncidentsThree,
            Level::IV => Self::IncidentsFour,
        }
    }

    /// Organisations in a state of the weather; none where no warning stands.
    pub fn of_weather(state: WeatherState) -> Option<Self> {
        match state {
            WeatherState::None => None,
            WeatherState::Alerted => Some(Self::WeatherAlerted),
            WeatherState::Suspended => Some(Self::WeatherSuspended),
            WeatherState::Lifted => Some(Self::WeatherLifted),
            WeatherState::PostCheck => Some(Self::WeatherPostCheck),
            WeatherState::Reopened => Some(Self::WeatherReopened),
        }
    }

    /// Met, not met and lapsed of the three demands of rule 5.10, in their order.
    pub const DEMANDS: [[Self; 3]; 3] = [
        [Self::GuardsMet, Self::GuardsNotMet, Self::GuardsLapsed],
        [Self::ClosedMet, Self::ClosedNotMet, Self::ClosedLapsed],
        [Self::AlarmMet, Self::AlarmNotMet, Self::AlarmLapsed],
    ];
}

/// Numbers by what they count; what is not there is zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Counts(BTreeMap<i32, i64>);

impl Counts {
    /// How many.
    pub fn get(&self, metric: Metric) -> i64 {
        self.0.get(&(metric as i32)).copied().unwrap_or_default()
    }

    /// The same with so many more.
    #[must_use]
    pub fn with(mut self, metric: Metric, more: i64) -> Self {
        self.add_one(metric as i32, more);
        self
    }

    /// The same with nothing of these.
    #[must_use]
    pub fn without(mut self, metrics: impl IntoIterator<Item = Metric>) -> Self {
        for metric in metrics {
            self.0.remove(&(metric as i32));
        }
        self
    }

    /// Adds all of `other`.
    pub fn add(&mut self, other: &Self) {
        for (metric, more) in &other.0 {
            self.add_one(*metric, *more);
        }
    }

    /// What must be added to `before` to come here.
    pub fn since(&self, before: &Self) -> Self {
        let mut change = self.clone();
        for (metric, less) in &before.0 {
            change.add_one(*metric, less.saturating_neg());
        }
        change
    }

    /// Whether all numbers are zero.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add_one(&mut self, metric: i32, more: i64) {
        let sum = self.0.get(&metric).copied().unwrap_or_default();
        match sum.saturating_add(more) {
            0 => self.0.remove(&metric),
            sum => self.0.insert(metric, sum),
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counts() -> impl Strategy<Value = Counts> {
        proptest::collection::btree_map(1..54, -9_i64..99, 0..10).prop_map(|numbers| {
            let mut counts = Counts::default();
            for (metric, number) in numbers {
                counts.add_one(metric, number);
            }
            counts
        })
    }

    proptest! {
        #[test]
        fn a_change_leads_from_what_was_to_what_is(before in counts(), after in counts()) {
            let mut moved = before.clone();
            moved.add(&after.since(&before));
            prop_assert_eq!(&moved, &after);
            prop_assert!(after.since(&after).is_empty());
        }

        #[test]
        fn the_order_of_changes_does_not_matter(one in counts(), other in counts()) {
            let (mut there, mut back) = (one.clone(), other.clone());
            there.add(&other);
            back.add(&one);
            prop_assert_eq!(there, back);
        }
    }
}
