//! The life cycle of a drill (rule 5.20).

use crate::domain::numbered::numbered;

numbered! {
    /// The place of a drill in its life cycle; the numbers are those of contract and table.
    State {
        /// Planned.
        Planned = 1 "PLANNED",
        /// Approved.
        Approved = 2 "APPROVED",
        /// Those who take part know of it.
        Announced = 3 "ANNOUNCED",
        /// Those who take part do not know of it.
        Unannounced = 4 "UNANNOUNCED",
        /// The signal was given.
        Running = 5 "RUNNING",
        /// All are out.
        AllOut = 6 "ALL_OUT",
        /// All were counted.
        Headcounted = 7 "HEADCOUNTED",
        /// Over.
        Ended = 8 "ENDED",
        /// Judged.
        Reviewed = 9 "REVIEWED",
        /// In the archive.
        Archived = 10 "ARCHIVED",
        /// Put off.
        Postponed = 11 "POSTPONED",
        /// Broken off, for a real event or an injury.
        Aborted = 12 "ABORTED",
    }
}

numbered! {
    /// What is done with a drill.
    Step {
        /// The plan is approved.
        Approve = 1 "APPROVE",
        /// Those who take part are told.
        Announce = 2 "ANNOUNCE",
        /// Those who take part are not told.
        Conceal = 3 "CONCEAL",
        /// It is put off.
        Postpone = 4 "POSTPONE",
        /// The signal is given.
        Start = 5 "START",
        /// The last one is out.
        AllOut = 6 "ALL_OUT",
        /// All are counted.
        Headcount = 7 "HEADCOUNT",
        /// Somebody who was missing is found.
        Find = 8 "FIND",
        /// It is over.
        End = 9 "END",
        /// It is broken off.
        Abort = 10 "ABORT",
        /// It is judged.
        Review = 11 "REVIEW",
        /// It is put into the archive.
        Archive = 12 "ARCHIVE",
    }
}

impl State {
    /// The state after `step`; none when the step does not start from here.
    pub fn next(self, step: Step) -> Option<Self> {
        match (step, self) {
            (Step::Approve, Self::Planned | Self::Postponed) => Some(Self::Approved),
            (Step::Announce, Self::Approved) => Some(Self::Announced),
            (Step::Conceal, Self::Approved) => Some(Self::Unannounced),
            (
                Step::Postpone,
                Self::Planned | Self::Approved | Self::Announced | Self::Unannounced,
            ) => Some(Self::Postponed),
            (Step::Start, Self::Announced | Self::Unannounced) => Some(Self::Running),
            (Step::AllOut, Self::Running) => Some(Self::AllOut),
            (Step::Headcount, Self::AllOut) => Some(Self::Headcounted),
            (Step::Find, Self::Headcounted) => Some(Self::Headcounted),
            (Step::End, Self::Headcounted) => Some(Self::Ended),
            (Step::Abort, Self::Running | Self::AllOut | Self::Headcounted) => Some(Self::Aborted),
            (Step::Review, Self::Ended) => Some(Self::Reviewed),
            (Step::Archive, Self::Reviewed) => Some(Self::Archived),
            _ => None,
        }
    }
}
