//! Which organisations come first: the silent ones, then those with the gravest.

use std::cmp::{Ordering, Reverse};

use super::{Counts, Metric};
use crate::domain::organization::Kind;

/// Whether a campus with these counts is silent: nothing was declared of its protection, no roster was
/// published, or nothing that was due was inspected. What nobody said is never good.
pub fn is_silent(counts: &Counts) -> bool {
    let none = |metrics: &[Metric]| metrics.iter().all(|metric| counts.get(*metric) == 0);
    let undeclared = Metric::DEMANDS.iter().all(|demand| none(demand));
    let uninspected =
        counts.get(Metric::InspectionsDue) > 0 && counts.get(Metric::InspectionsDone) == 0;
    undeclared || no_roster(counts) || uninspected
}

/// Whether an organisation with these counts never published a roster.
fn no_roster(counts: &Counts) -> bool {
    let duty = [
        Metric::OnDuty,
        Metric::DutyAwaited,
        Metric::DutyUnattended,
        Metric::DutyGap,
    ];
    duty.iter().all(|metric| counts.get(*metric) == 0)
}

/// What an organisation of a kind with these counts adds to the figures above it: whoever has to keep
/// duty and never published a roster has a gap, and the demands of rule 5.10 are made of schools and
/// kindergartens only.
pub fn share(kind: Kind, counts: Counts) -> Counts {
    let gap = kind.keeps_duty() && no_roster(&counts);
    let counts = if kind.is_school() {
        counts
    } else {
        counts.without(Metric::DEMANDS.into_iter().flatten())
    };
    counts.with(Metric::DutyGap, gap.into())
}

/// How bad it is; the worst is the least.
#[derive(Clone, Debug)]
pub struct Rank {
    campuses: u64,
    silent: u64,
    bad: Reverse<[i64; 9]>,
}

impl Rank {
    /// Of an organisation with so many open campuses, so many of which are silent.
    pub fn new(campuses: u64, silent: u64, counts: &Counts) -> Self {
        let bad = [
            Metric::MajorOverdue,
            Metric::IncidentsLate,
            Metric::DutyUnattended,
            Metric::DutyGap,
            Metric::VisitorsOverstaying,
            Metric::TasksOverdue,
            Metric::GeneralOverdue,
            Metric::DrillsMissed,
            Metric::InspectionsMissed,
        ];
        Self {
            campuses,
            silent,
            bad: Reverse(bad.map(|metric| counts.get(metric))),
        }
    }
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        let share = |of: &Self, by: &Self| {
            u128::from(of.silent).saturating_mul(u128::from(by.campuses.max(1)))
        };
        share(other, self)
            .cmp(&share(self, other))
            .then_with(|| self.bad.cmp(&other.bad))
    }
}

impl PartialEq for Rank {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Rank {}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rank(campuses: u64, silent: u64, overdue: i64) -> Rank {
        let counts = Counts::default().with(Metric::MajorOverdue, overdue);
        Rank::new(campuses, silent, &counts)
    }

    #[test]
    fn silence_is_worse_than_anything_that_was_said() {
        assert!(rank(1, 1, 0) < rank(1, 0, 1000));
        assert!(rank(10, 5, 0) < rank(100, 49, 9));
        assert!(rank(10, 5, 9) < rank(100, 50, 0));
    }

    #[test]
    fn a_gap_of_duty_and_a_missed_drill_are_bad() {
        let of = |metric| Rank::new(1, 0, &Counts::default().with(metric, 1));
        let good = Rank::new(1, 0, &Counts::default());
        assert!(of(Metric::DutyUnattended) < of(Metric::DutyGap));
        assert!(of(Metric::DutyGap) < of(Metric::TasksOverdue));
        assert!(of(Metric::DrillsMissed) < of(Metric::InspectionsMissed));
        assert!(of(Metric::DrillsMissed) < good);
    }

    #[test]
    fn whoever_never_published_a_roster_has_a_gap_and_others_are_not_asked() {
        let said = Counts::default().with(Metric::GuardsMet, 1);
        let school = share(Kind::School, said.clone());
        assert_eq!(
            (school.get(Metric::DutyGap), school.get(Metric::GuardsMet)),
            (1, 1)
        );
        assert_eq!(
            share(Kind::CountyBureau, Counts::default()).get(Metric::DutyGap),
            1
        );
        assert!(share(Kind::Laboratory, Counts::default()).is_empty());
        let base = share(Kind::OffCampusBase, said.with(Metric::OnDuty, 1));
        assert_eq!(base, Counts::default().with(Metric::OnDuty, 1));
    }

    #[test]
    fn whoever_said_everything_is_not_silent() {
        let said = Counts::default()
            .with(Metric::GuardsMet, 1)
            .with(Metric::DutyGap, 1);
        assert!(is_silent(&Counts::default()));
        assert!(!is_silent(&said));
        assert!(is_silent(&said.clone().with(Metric::InspectionsDue, 2)));
        let inspected = said
            .with(Metric::InspectionsDue, 2)
            .with(Metric::InspectionsDone, 1);
        assert!(!is_silent(&inspected));
    }

    proptest! {
        #[test]
        fn ranks_are_ordered(
            ranks in proptest::collection::vec((0_u64..5, 0_u64..5, 0_i64..3), 3),
        ) {
            let [a, b, c] = [0, 1, 2].map(|at| {
                let (campuses, silent, overdue) = ranks[at];
                rank(campuses, silent.min(campuses), overdue)
            });
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            prop_assert!(!(a <= b && b <= c) || a <= c);
        }
    }
}
