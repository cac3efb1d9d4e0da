//! How a campus is protected: declared, confirmed, and judged by the rules and the day.

pub mod declaration;
pub mod device;
pub mod figures;
pub mod finding;
pub mod guards;
pub mod judgement;
pub mod version;

#[cfg(test)]
mod tests;
