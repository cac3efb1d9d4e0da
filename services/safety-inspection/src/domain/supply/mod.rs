//! Supplies of a campus (rule 4.5): what is kept, its ledger, how long it lasts, and what is
//! on its way.

pub mod item;
pub mod ledger;
pub mod level;
pub mod transfer;

#[cfg(test)]
mod tests;
