//! What the whole system promises, asked of it from outside.

#[path = "system/authorisation.rs"]
mod authorisation;
#[path = "system/bad_input/mod.rs"]
mod bad_input;
#[path = "system/checks.rs"]
mod checks;
#[path = "system/contracts.rs"]
mod contracts;
#[path = "system/day.rs"]
mod day;
#[path = "system/faults/mod.rs"]
mod faults;
#[path = "system/health/mod.rs"]
mod health;
#[path = "system/isolation.rs"]
mod isolation;
#[path = "system/orders/mod.rs"]
mod orders;
#[path = "system/tubes.rs"]
mod tubes;
#[path = "system/verbs.rs"]
mod verbs;
