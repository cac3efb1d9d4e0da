//! Where a hazard stands, how grave it is, and how high it went.

use crate::domain::organization::Level;

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $number:literal $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$doc])* $variant = $number,)+ }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The value of a number of the contract.
            pub fn from_number(number: i32) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| *value as i32 == number)
            }

            /// Its word in the contract.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

words! {
    /// The place of a hazard in its life cycle (rule 5.9); the numbers are those of the contract.
    State {
        /// Found; nobody has looked at it yet.
        Reported = 1 "REPORTED",
        /// It is one, and its grade is known.
        Verified = 2 "VERIFIED",
        /// It is none.
        Dismissed = 3 "DISMISSED",
        /// People are safe from it for now.
        InterimControl = 4 "INTERIM_CONTROL",
        /// The five fixes stand.
        Assigned = 5 "ASSIGNED",
        /// It is being removed.
        Rectifying = 6 "RECTIFYING",
        /// Its removal was reported.
        Submitted = 7 "SUBMITTED",
        /// Somebody else looks at the removal.
        Reviewing = 8 "REVIEWING",
        /// Removed, reviewed and closed.
        Closed = 9 "CLOSED",
        /// The removal did not convince.
        Returned = 10 "RETURNED",
    }
}

words! {
    /// How grave a hazard is (rule 5.3); the numbers are those of the contract.
    Grade {
        /// Can be removed soon.
        General = 1 "GENERAL",
        /// Hard to remove, or a rule says so.
        Major = 2 "MAJOR",
    }
}

words! {
    /// The bureau to which an overdue hazard went up (rule 5.9), or whose list of supervision it is on
    /// (rule 5.8); the numbers are those of the contract.
    Bureau {
        /// That of the district.
        District = 1 "DISTRICT",
        /// That of the city.
        City = 2 "CITY",
    }
}

impl State {
    /// Whether nothing more happens to it but the end of its supervision.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Closed | Self::Dismissed)
    }
}

impl Bureau {
    /// Who decides there.
    pub fn level(self) -> Level {
        match self {
            Self::District => Level::District,
            Self::City => Level::City,
        }
    }

    /// The bureau of somebody who decides at `level`; none at a school.
    pub fn of(level: Level) -> Option<Self> {
        match level {
            Level::School => None,
            Level::District => Some(Self::District),
            Level::City => Some(Self::City),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_bureaus_are_told_apart() {
        for state in State::ALL {
            assert_eq!(State::from_number(*state as i32), Some(*state));
        }
        assert_eq!(State::from_number(0), None);
        for bureau in Bureau::ALL {
            assert_eq!(Bureau::of(bureau.level()), Some(*bureau));
        }
        assert_eq!(Bureau::of(Level::School), None);
    }
}
