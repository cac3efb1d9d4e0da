//! What is seen at a gate.

use chrono::NaiveDate;

/// A temperature that some policy may call plausible of a person, in tenths of a degree Celsius; which
/// readings are believed the policy in force says (rule 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Temperature(i16);

/// Outside 30.0 to 45.0 degrees, the widest that a policy may believe: the reading is wrong, not the
/// person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a temperature of a person lies between 30.0 and 45.0 degrees")]
pub struct Implausible;

impl Temperature {
    /// Reads tenths of a degree.
    ///
    /// # Errors
    /// [`Implausible`] outside 30.0 to 45.0.
    pub fn from_tenths(tenths: i32) -> Result<Self, Implausible> {
        match i16::try_from(tenths) {
            Ok(tenths @ 300..=450) => Ok(Self(tenths)),
            _ => Err(Implausible),
        }
    }

    /// The reading in tenths of a degree.
    pub fn tenths(self) -> i16 {
        self.0
    }
}

/// Readings of one person after the first one, in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Further([Option<Temperature>; Self::MOST]);

impl Further {
    /// How many there are at most.
    pub const MOST: usize = 4;

    /// These readings; those after the last that fits are left out.
    pub fn of(readings: impl IntoIterator<Item = Temperature>) -> Self {
        let mut kept = [None; Self::MOST];
        for (place, reading) in kept.iter_mut().zip(readings) {
            *place = Some(reading);
        }
        Self(kept)
    }

    /// The readings.
    pub fn iter(self) -> impl Iterator<Item = Temperature> {
        self.0.into_iter().flatten()
    }
}

/// Whether somebody looks ill (rule 3.3); the numbers are those of the contract and of the tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Symptoms {
    /// Nobody asked.
    #[default]
    NotAsked = 0,
    /// None.
    None = 1,
    /// There are some.
    Seen = 2,
}

impl Symptoms {
    /// The value of a number.
    pub fn from_number(number: i32) -> Option<Self> {
        let mut all = [Self::NotAsked, Self::None, Self::Seen].into_iter();
        all.find(|value| *value as i32 == number)
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

/// Where a travel card comes from; the numbers are those of the contract and of the tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TravelSource {
    /// Shown at the gate, or not shown.
    #[default]
    Shown = 1,
    /// Looked up.
    Provider = 2,
    /// Looked up in vain.
    ProviderSilent = 3,
}

impl TravelSource {
    /// Every source.
    pub const ALL: [Self; 3] = [Self::Shown, Self::Provider, Self::ProviderSilent];

    /// The source of a number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|source| *source as i16 == number)
    }
}

/// A city on a travel card (rule 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct City {
    /// The division of GB/T 2260, six digits.
    pub division: u32,
    /// It has a region of risk.
    pub starred: bool,
    /// The last civil day there, where that is known.
    pub last_stay: Option<NaiveDate>,
}

/// The cities of one card, in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cities([Option<City>; Self::MOST]);

impl Cities {
    /// How many there are at most.
    pub const MOST: usize = 20;

    /// These cities; those after the last that fits are left out.
    pub fn of(cities: impl IntoIterator<Item = City>) -> Self {
        let mut kept = [None; Self::MOST];
        for (place, city) in kept.iter_mut().zip(cities) {
            *place = Some(city);
        }
        Self(kept)
    }

    /// The cities.
    pub fn iter(&self) -> impl Iterator<Item = City> {
        self.0.into_iter().flatten()
    }
}

/// A travel card (rule 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TravelCard {
    /// The civil day on the card.
    pub shown: NaiveDate,
    /// At least one city is marked; where the cities are told, they count instead.
    pub starred: bool,
    /// The cities, as far as they are told.
    pub cities: Cities,
}

impl TravelCard {
    /// Whether it shows a stay in a marked city on one of the `window_days` days up to `today`. A marked
    /// city without a day counts.
    pub fn is_marked(&self, today: NaiveDate, window_days: i32) -> bool {
        let mut cities = self.cities.iter().peekable();
        if cities.peek().is_none() {
            return self.starred;
        }
        let within = |day: NaiveDate| (today - day).num_days() < i64::from(window_days);
        cities.any(|city| city.starred && city.last_stay.is_none_or(within))
    }
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
    /// Where the card comes from.
    pub travel_source: TravelSource,
    /// Temperatures after the first one.
    pub further: Further,
    /// Whether the person looks ill.
    pub symptoms: Symptoms,
}

impl Observation {
    /// Every reading, in their order.
    pub fn readings(&self) -> impl Iterator<Item = Temperature> {
        self.temperature.into_iter().chain(self.further.iter())
    }
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
