//! Policy profiles: the numbers by which the city decides, their ranges and their legal floors
//! (rule book, section 9).

mod check;
mod difference;
mod document;
mod field;
mod floor;
mod load;
mod structure;
#[cfg(test)]
mod tests;
mod value;
mod version;
mod word;

pub use check::{Violation, violations};
pub use difference::{Difference, difference};
pub use document::{Document, SHIPPED, Unreadable, read};
pub use field::{FIELDS, Field, Kind};
pub use floor::{Bound, FLOORS, Floor};
pub use load::{ClassGroup, Load, load};
pub use value::{Profile, Record, Value};
pub use version::{State, VersionId, is_profile};
