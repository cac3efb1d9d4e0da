//! The versions of a profile: how they are named, and their life cycle.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

/// One version of a profile; as text the last part of its resource name, `fuzhou-2022-04-1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VersionId {
    /// The profile's own name.
    pub profile: String,
    /// 1 for the first version.
    pub number: i32,
}

/// The place of a version in its life cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Proposed, not in force.
    Proposed,
    /// In force from its first day.
    Active,
    /// Was active; another one of the same region and the same first day took its place.
    Replaced,
}

/// Whether `text` can be a profile's own name: 1 to 32 of `a-z 0-9 -`.
pub fn is_profile(text: &str) -> bool {
    let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=32).contains(&text.len()) && text.bytes().all(known)
}

impl VersionId {
    /// The resource name.
    pub fn name(&self) -> String {
        format!("policyProfiles/{self}")
    }

    /// What stored decisions record, such as `fuzhou-2022-04@1`.
    pub fn policy_version(&self) -> String {
        format!("{}@{}", self.profile, self.number)
    }
}

impl Display for VersionId {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.profile, self.number)
    }
}

impl FromStr for VersionId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (profile, number) = text.rsplit_once('-').ok_or(())?;
        let id = Self {
            profile: profile.to_owned(),
            number: number.parse().map_err(|_| ())?,
        };
        // One spelling only: a name is compared as text elsewhere.
        let formed = is_profile(profile) && id.number > 0 && id.to_string() == text;
        formed.then_some(id).ok_or(())
    }
}

impl State {
    /// The number in the database.
    pub fn code(self) -> i16 {
        match self {
            Self::Proposed => 1,
            Self::Active => 2,
            Self::Replaced => 3,
        }
    }

    /// From its number.
    pub fn from_code(code: i16) -> Option<Self> {
        [Self::Proposed, Self::Active, Self::Replaced]
            .into_iter()
            .find(|state| state.code() == code)
    }

    /// The state after activation; none when that is not possible.
    pub fn activated(self) -> Option<Self> {
        match self {
            Self::Proposed => Some(Self::Active),
            Self::Active | Self::Replaced => None,
        }
    }

    /// The state after another one took its place; none when it never was in force.
    pub fn replaced(self) -> Option<Self> {
        match self {
            Self::Active => Some(Self::Replaced),
            Self::Proposed | Self::Replaced => None,
        }
    }
}
