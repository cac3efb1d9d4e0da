//! Who answers for what: nodes named by hand, offices, and the search that ends with one person
//! (rules 1.3 and 5.1).

mod search;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

pub use search::{Answer, Chart, Duty, Found, Seat, resolve, roll};

use super::organization::{Kind, coded};
use super::staff::Post;

coded! {
    /// What is answered for.
    Subject {
        /// Everything, as head of the organisation.
        OverallHead = 1 "OVERALL_HEAD",
        /// Everything, as party secretary.
        OverallParty = 2 "OVERALL_PARTY",
        /// Safety, as the deputy for it.
        Safety = 3 "SAFETY",
        /// Epidemic control.
        EpidemicControl = 4 "EPIDEMIC_CONTROL",
        /// Fire safety.
        Fire = 5 "FIRE",
        /// Food safety.
        Food = 6 "FOOD",
        /// Buildings.
        Buildings = 7 "BUILDINGS",
        /// Laboratories and practical training.
        Laboratories = 8 "LABORATORIES",
        /// School buses and traffic.
        Traffic = 9 "TRAFFIC",
        /// Gate and perimeter.
        Security = 10 "SECURITY",
        /// Dormitories.
        Dormitories = 11 "DORMITORIES",
        /// Floods, typhoons and other weather.
        Weather = 12 "WEATHER",
        /// Psychological support.
        Psychology = 13 "PSYCHOLOGY",
        /// Networks and data.
        Data = 14 "DATA",
        /// A class group.
        ClassGroup = 15 "CLASS_GROUP",
    }
}

impl Subject {
    /// What every organisation must have a person for (rule 5.1).
    pub const INDISPENSABLE: [Self; 3] = [Self::OverallHead, Self::OverallParty, Self::Safety];

    /// The posts whose holder answers for it by office, the first before the second.
    ///
    /// Head, party secretary and deputy for safety follow from rule 5.1, the epidemic reporter
    /// before the doctor from rule 1.3; the keepers of laboratories and dormitories are the owners
    /// that rule 5.1 asks for, and the counsellor is the one who is trained for it. For the rest
    /// nobody is answerable merely by working there: guards, drivers and canteen workers carry out
    /// what somebody else answers for. The head teacher of a class group is found by class group.
    pub fn offices(self) -> &'static [Post] {
        match self {
            Self::OverallHead => &[Post::Principal],
            Self::OverallParty => &[Post::PartySecretary],
            Self::Safety => &[Post::SafetyDeputy],
            Self::EpidemicControl => &[Post::EpidemicReporter, Post::Medical],
            Self::Laboratories => &[Post::LaboratoryKeeper],
            Self::Dormitories => &[Post::Dormitory],
            Self::Psychology => &[Post::Counsellor],
            Self::Fire
            | Self::Food
            | Self::Buildings
            | Self::Traffic
            | Self::Security
            | Self::Weather
            | Self::Data
            | Self::ClassGroup => &[],
        }
    }
}

/// Whether one of this kind must have a head, a party secretary and a deputy for safety: all that
/// govern or teach, and off-campus bases (rule 5.1); laboratories and disease control have masters
/// outside of education.
pub fn must_be_owned(kind: Kind) -> bool {
    match kind {
        Kind::CityBureau
        | Kind::CountyBureau
        | Kind::FunctionalZone
        | Kind::MunicipalSchool
        | Kind::School
        | Kind::Kindergarten
        | Kind::TrainingInstitution
        | Kind::OffCampusBase
        | Kind::University => true,
        Kind::Laboratory | Kind::DiseaseControl => false,
    }
}

/// A place within an organisation: up to eight parts of 1 to 32 of `a-z`, `0-9` and `-`, joined by
/// `/`; empty for all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place(String);

/// The text is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a place")]
pub struct NotAPlace;

impl Place {
    /// The place as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is all of the organisation.
    pub fn is_everywhere(&self) -> bool {
        self.0.is_empty()
    }

    /// The place around this one; none around all of the organisation.
    pub fn around(&self) -> Option<Self> {
        if self.is_everywhere() {
            return None;
        }
        let around = self.0.rsplit_once('/').map(|(around, _)| around);
        Some(Self(around.unwrap_or_default().to_owned()))
    }
}

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        const MOST: usize = 8;
        let is_part = |part: &str| {
            (1..=32).contains(&part.len())
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        let formed =
            text.is_empty() || (text.split('/').count() <= MOST && text.split('/').all(is_part));
        formed.then(|| Self(text.to_owned())).ok_or(NotAPlace)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One person answering for a subject at a place for a span of time, named by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its own id.
    pub id: Uuid,
    /// The code of the organisation.
    pub organization: String,
    /// What is answered for.
    pub subject: Subject,
    /// Where.
    pub place: Place,
    /// Who.
    pub staff_member: Uuid,
    /// The duties in words.
    pub duties: String,
    /// From this instant, included; milliseconds since 1970.
    pub start: i64,
    /// To this instant, excluded; none while no successor is named.
    pub end: Option<i64>,
}

/// A successor would begin when the holder had not begun yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the holder began at {0}")]
pub struct TooEarly(pub i64);

impl Node {
    /// The resource name.
    pub fn name(&self) -> String {
        let Self {
            id, organization, ..
        } = self;
        format!("organizations/{organization}/responsibilityNodes/{id}")
    }

    /// Whether it is in force at an instant.
    pub fn holds(&self, at: i64) -> bool {
        self.start <= at && self.end.is_none_or(|end| at < end)
    }

    /// Ends at the instant at which a successor begins: a hand-over leaves neither a gap nor two
    /// persons (rule 5.1).
    ///
    /// # Errors
    /// When it would end before it began, or has ended already.
    pub fn relieve(self, at: i64) -> Result<Self, TooEarly> {
        if at <= self.start || self.end.is_some() {
            return Err(TooEarly(self.start));
        }
        Ok(Self {
            end: Some(at),
            ..self
        })
    }
}
