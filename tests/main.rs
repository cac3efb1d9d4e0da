//! What the whole system promises, asked of it from outside.

#[path = "system/authorisation.rs"]
mod authorisation;
#[path = "system/bad_input.rs"]
mod bad_input;
#[path = "system/contracts.rs"]
mod contracts;
#[path = "system/daily.rs"]
mod daily;
#[path = "system/faults.rs"]
mod faults;
#[path = "system/isolation.rs"]
mod isolation;
#[path = "system/verbs.rs"]
mod verbs;
