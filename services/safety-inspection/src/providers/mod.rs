//! What other systems tell us: colours of health codes, travel cards, and whether a name and a document belong
//! together. Each is called with a deadline, by few at once, and left alone while it fails; what it
//! does not say is UNKNOWN.

mod guarded;
mod health_code;
mod identity;
mod travel_card;

pub(crate) use health_code::{HealthCodes, Reference};
pub(crate) use identity::Identities;
pub(crate) use travel_card::TravelCards;
