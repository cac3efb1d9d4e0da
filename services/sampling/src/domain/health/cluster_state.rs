//! Where a cluster stands and which moves it allows.

/// Where a cluster stands. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum ClusterState {
    /// Fired, not taken up yet.
    Open = 1,
    /// Somebody has taken it up.
    Acknowledged = 2,
    /// Over by the decision of a human.
    Closed = 3,
    /// Part of another cluster.
    Merged = 4,
}

/// What a human does with a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterVerb {
    /// Takes it up.
    Acknowledge,
    /// Ends it.
    Close,
}

impl ClusterState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Open, Self::Acknowledged, Self::Closed, Self::Merged];

    /// The number of this state.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The state with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Whether it still grows and merges.
    pub fn lives(self) -> bool {
        matches!(self, Self::Open | Self::Acknowledged)
    }

    /// The state after a verb; none when the verb does not start from this state.
    pub fn after(self, verb: ClusterVerb) -> Option<Self> {
        match (self, verb) {
            (Self::Open, ClusterVerb::Acknowledge) => Some(Self::Acknowledged),
            (Self::Open | Self::Acknowledged, ClusterVerb::Close) => Some(Self::Closed),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_move_that_is_not_named_is_refused() {
        use ClusterState as S;
        use ClusterVerb as V;
        let legal = [
            (S::Open, V::Acknowledge, S::Acknowledged),
            (S::Open, V::Close, S::Closed),
            (S::Acknowledged, V::Close, S::Closed),
        ];
        for state in S::ALL {
            for verb in [V::Acknowledge, V::Close] {
                let expected = legal.iter().find(|(s, v, _)| (*s, *v) == (state, verb));
                assert_eq!(
                    state.after(verb),
                    expected.map(|(_, _, to)| *to),
                    "{state:?} {verb:?}"
                );
            }
        }
    }
}
