//! Requests of people about what is held of them (rules 6.1, 6.2 and 6.14).

mod held;
mod other;
mod person;
mod request;
mod staff;
#[cfg(test)]
mod tests;

pub use held::{Category, Item, Seen, Sources, held};
pub use other::Other;
pub use person::Person;
pub use request::{
    Asker, Close, Closed, Filed, Holding, Incomplete, Kind, State, SubjectRequest, may_ask_alone,
};
pub use staff::{StaffSources, held_of_staff};

/// Within how many days a request is answered (rule 6.14).
pub const ANSWER_DAYS: i64 = 30;
/// For how many days the person sees what is held, once it was answered.
pub const SHOWN_DAYS: i64 = 30;
/// The services whose holdings an answer tells besides the register's own.
pub const OTHERS: [&str; 3] = ["sampling", "safety-inspection", "notification"];
