//! The items that are kept, as data that ships.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use chrono::NaiveDate;
use serde::Deserialize;

static SHIPPED: LazyLock<Result<Catalogue, String>> =
    LazyLock::new(|| Catalogue::read(include_str!("../../../data/supplies.toml")));
static NOTHING: Catalogue = Catalogue { items: Vec::new() };

/// In what an item is counted; the numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Unit {
    /// Pieces.
    Piece = 1,
    /// Pairs.
    Pair = 2,
    /// Millilitres.
    Millilitre = 3,
}

/// For whom an amount is meant; the numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Basis {
    /// The campus.
    Campus = 1,
    /// Each class group.
    Class = 2,
    /// Each pupil and member of staff.
    Person = 3,
}

/// So many for one of a basis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// For whom.
    pub basis: Basis,
    /// How many units.
    pub quantity: u32,
}

/// How many a campus has of what amounts are meant for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heads {
    /// Class groups.
    pub classes: u32,
    /// Pupils and staff.
    pub persons: u32,
}

impl Amount {
    /// For a whole campus.
    pub fn of(self, heads: Heads) -> u64 {
        let count = match self.basis {
            Basis::Campus => 1,
            Basis::Class => heads.classes,
            Basis::Person => heads.persons,
        };
        u64::from(self.quantity) * u64::from(count)
    }
}

/// An item that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Names it, such as `mask`.
    pub code: String,
    /// Shown to people.
    pub display_name: String,
    /// In what it is counted.
    pub unit: Unit,
    /// What a day takes; none for what is not used up.
    #[serde(default)]
    pub daily_use: Option<Amount>,
    /// What has to be there whatever is used.
    #[serde(default)]
    pub kit: Vec<Amount>,
    /// Whether lots of it expire.
    pub expires: bool,
    /// Where this comes from.
    pub source: String,
    /// The first civil day of this entry.
    #[serde(deserialize_with = "civil_day")]
    pub effective_date: NaiveDate,
}

fn civil_day<'de, D: serde::Deserializer<'de>>(from: D) -> Result<NaiveDate, D::Error> {
    let day = toml::value::Datetime::deserialize(from)?;
    let text = day.to_string();
    text.parse().map_err(serde::de::Error::custom)
}

impl Item {
    /// What a day takes at a campus; 0 for what is not used up.
    pub fn daily(&self, heads: Heads) -> u64 {
        self.daily_use.map_or(0, |amount| amount.of(heads))
    }

    /// The least that a campus has to have: for `days`, or the kit when that is more.
    pub fn minimum(&self, heads: Heads, days: u32) -> u64 {
        let kit = self.kit.iter().map(|amount| amount.of(heads)).sum();
        self.daily(heads).saturating_mul(u64::from(days)).max(kit)
    }
}

/// Every item, ordered by code.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// The items.
    pub items: Vec<Item>,
}

impl Catalogue {
    /// The one that ships. A test and the start of the service read it, so that nobody meets the
    /// empty one that stands for one that cannot be read.
    pub fn shipped() -> &'static Self {
        SHIPPED.as_ref().unwrap_or(&NOTHING)
    }

    /// Whether the one that ships can be read.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check() -> Result<(), String> {
        SHIPPED.as_ref().map(|_| ()).map_err(String::clone)
    }

    /// Reads a catalogue.
    ///
    /// # Errors
    /// When it is no TOML of this form, a code comes twice or out of order, or an item demands nothing.
    pub fn read(text: &str) -> Result<Self, String> {
        let catalogue: Self = toml::from_str(text).map_err(|err| err.to_string())?;
        let codes: BTreeSet<&str> = catalogue.items.iter().map(|i| &*i.code).collect();
        if codes.len() != catalogue.items.len() || !catalogue.items.is_sorted_by_key(|i| &i.code) {
            return Err("codes must be unique and in order".to_owned());
        }
        for Item {
            code,
            source,
            daily_use,
            kit,
            ..
        } in &catalogue.items
        {
            if source.is_empty() || (daily_use.is_none() && kit.is_empty()) {
                return Err(format!("{code} needs a source, and a daily use or a kit"));
            }
        }
        Ok(catalogue)
    }

    /// The item of a code.
    pub fn item(&self, code: &str) -> Option<&Item> {
        let place = self.items.binary_search_by(|item| (*item.code).cmp(code));
        place.ok().and_then(|place| self.items.get(place))
    }
}
