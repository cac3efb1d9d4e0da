//! The tasks that the action table gives (rule 5.28).

use crate::domain::numbered::numbered;

numbered! {
    /// Where a task stands. The numbers are those of the contract.
    TaskState {
        /// To be done.
        Open = 1,
        /// Done.
        Done = 2,
        /// No longer asked for.
        StoodDown = 3,
    }
}

numbered! {
    /// What happens to a task.
    TaskEvent {
        /// It is reported done.
        Complete = 1,
        /// The level no longer asks for it.
        StandDown = 2,
        /// The level asks for it again.
        CallAgain = 3,
    }
}

impl TaskState {
    /// The state after an event; none when the event does not start from this state. What is done
    /// stays done, however the level moves.
    pub fn after(self, event: TaskEvent) -> Option<Self> {
        match (self, event) {
            (Self::Open, TaskEvent::Complete) => Some(Self::Done),
            (Self::Open, TaskEvent::StandDown) => Some(Self::StoodDown),
            (Self::StoodDown, TaskEvent::CallAgain) => Some(Self::Open),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_move_that_is_not_named_is_refused() {
        use {TaskEvent as E, TaskState as S};
        let legal = [
            (S::Open, E::Complete, S::Done),
            (S::Open, E::StandDown, S::StoodDown),
            (S::StoodDown, E::CallAgain, S::Open),
        ];
        for state in S::ALL {
            for event in E::ALL {
                let expected = legal.iter().find(|(s, e, _)| (s, e) == (state, event));
                assert_eq!(state.after(*event), expected.map(|(_, _, to)| *to));
            }
        }
    }
}
