//! Alerts, their rules, desk and scope, and warnings of the weather, on both databases.

mod alert_desk;
mod alert_laws;
mod alert_rules;
mod alert_scope;
mod alerts;
mod cap_schema;
mod destruction;
mod glass;
mod hearers;
mod kinds;
mod raised;
mod safety_kinds;
mod store;
#[path = "../town/mod.rs"]
mod town;
mod upgrade;
mod warning_exports;
mod warnings;
