//! What the whole system promises, asked of it from outside.

#[path = "system/audit.rs"]
mod audit;
#[path = "system/authorisation.rs"]
mod authorisation;
#[path = "system/bad_input/mod.rs"]
mod bad_input;
#[path = "system/called_back.rs"]
mod called_back;
#[path = "system/clients/mod.rs"]
mod clients;
#[path = "system/contracts.rs"]
mod contracts;
#[path = "system/day.rs"]
mod day;
#[path = "system/destruction.rs"]
mod destruction;
#[path = "system/enumeration.rs"]
mod enumeration;
#[path = "system/forbidden.rs"]
mod forbidden;
#[path = "system/health/mod.rs"]
mod health;
#[path = "system/inventory.rs"]
mod inventory;
#[path = "system/isolation.rs"]
mod isolation;
#[path = "system/leaks/mod.rs"]
mod leaks;
#[path = "system/matrix/mod.rs"]
mod matrix;
#[path = "system/orders/mod.rs"]
mod orders;
#[path = "system/overview.rs"]
mod overview;
#[path = "system/personal.rs"]
mod personal;
#[path = "system/private_counts.rs"]
mod private_counts;
#[path = "system/recorded/mod.rs"]
mod recorded;
#[path = "system/region.rs"]
mod region;
#[path = "system/safety/mod.rs"]
mod safety;
#[path = "system/said.rs"]
mod said;
#[path = "system/silence/mod.rs"]
mod silence;
#[path = "system/sizes.rs"]
mod sizes;
#[path = "system/subjects.rs"]
mod subjects;
#[path = "system/telemetry.rs"]
mod telemetry;
#[path = "system/traces.rs"]
mod traces;
#[path = "system/walk.rs"]
mod walk;

use tests::{checks, tubes, verbs};
