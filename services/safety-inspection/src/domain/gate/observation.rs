//! What is seen at a gate.

use chrono::NaiveDate;

/// A plausible temperature of a person, in tenths of a degree Celsius (rule 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Temperature(i16);

/// Outside 34.0 to 42.5 degrees: the reading is wrong, not the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a temperature of a person lies between 34.0 and 42.5 degrees")]
pub struct Implausible;

impl Temperature {
    /// Reads tenths of a degree.
    ///
    /// # Errors
    /// [`Implausible`] outside 34.0 to 42.5.
    pub fn from_tenths(tenths: i32) -> Result<Self, Implausible> {
        match i16::try_from(tenths) {
            Ok(tenths @ 340..=425) => Ok(Self(tenths)),
            _ => Err(Implausible),
        }
    }

    /// The reading in tenths of a degree.
    pub fn tenths(self) -> i16 {
        self.0
    }
}

/// The colour of a health code (rule 3.4). What was not shown is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Colour {
    /// Green.
    Green,
    /// Yellow.
    Yellow,
    /// Red.
    Red,
    /// Not shown, not readable, or no phone.
    #[default]
    Unknown,
}

impl Colour {
    /// Every colour.
    pub const ALL: [Self; 4] = [Self::Green, Self::Yellow, Self::Red, Self::Unknown];

    /// The number in contracts and tables.
    pub fn number(self) -> i16 {
        match self {
            Self::Green => 1,
            Self::Yellow => 2,
            Self::Red => 3,
            Self::Unknown => 4,
        }
    }
}

/// Where a colour comes from; the numbers are those of the contract and of the tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColourSource {
    /// Shown at the gate, or not shown.
    #[default]
    Shown = 1,
    /// Looked up.
    Provider = 2,
    /// Looked up in vain.
    ProviderSilent = 3,
}

impl ColourSource {
    /// Every source.
    pub const ALL: [Self; 3] = [Self::Shown, Self::Provider, Self::ProviderSilent];

    /// The source of a number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|source| *source as i16 == number)
    }
}

/// A travel card (rule 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TravelCard {
    /// The civil day on the card.
    pub shown: NaiveDate,
    /// At least one city of the window is marked.
    pub starred: bool,
}

/// Everything seen of one person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// The temperature; none when not measured.
    pub temperature: Option<Temperature>,
    /// The colour of the health code.
    pub colour: Colour,
    /// The travel card; none when not shown.
    pub travel: Option<TravelCard>,
}

/// How somebody is identified; the numbers are those of the contract and of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identification {
    /// Not at all.
    None = 1,
    /// By a code of ours.
    PersonCode = 2,
    /// By a card.
    Card = 3,
    /// By a guard.
    Guard = 4,
    /// By a gate without a network.
    Device = 5,
}

impl Identification {
    /// Every way.
    pub const ALL: [Self; 5] = [
        Self::None,
        Self::PersonCode,
        Self::Card,
        Self::Guard,
        Self::Device,
    ];
}

/// Who comes on duty in an emergency (rule 3.7); the numbers are those of the contract and of the
/// tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crew {
    /// An ambulance.
    Medical = 1,
    /// The fire brigade.
    Fire = 2,
    /// Police.
    Police = 3,
}

impl Crew {
    /// Every crew.
    pub const ALL: [Self; 3] = [Self::Medical, Self::Fire, Self::Police];
}

/// How the temperature was taken (rule 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// At the gate.
    First,
    /// After the wait, with a contact thermometer.
    Contact,
}
