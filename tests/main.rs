//! What the whole system promises, asked of it from outside.

#[path = "system/audit.rs"]
mod audit;
#[path = "system/authorisation.rs"]
mod authorisation;
#[path = "system/bad_input/mod.rs"]
mod bad_input;
#[path = "system/clients/mod.rs"]
mod clients;
#[path = "system/contracts.rs"]
mod contracts;
#[path = "system/day.rs"]
mod day;
#[path = "system/destruction.rs"]
mod destruction;
#[path = "system/health/mod.rs"]
mod health;
#[path = "system/isolation.rs"]
mod isolation;
#[path = "system/matrix.rs"]
mod matrix;
#[path = "system/orders/mod.rs"]
mod orders;
#[path = "system/overview.rs"]
mod overview;
#[path = "system/region.rs"]
mod region;
#[path = "system/safety/mod.rs"]
mod safety;
#[path = "system/telemetry.rs"]
mod telemetry;
#[path = "system/walk.rs"]
mod walk;

use tests::{checks, tubes, verbs};
