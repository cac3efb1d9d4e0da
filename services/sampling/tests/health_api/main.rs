//! The health of people as clients see it, on both databases.

mod absence;
mod alarms;
mod approvals;
mod batches;
mod cases;
mod clinic;
mod clusters;
mod contact_ends;
mod contacts;
mod controls;
mod courses;
mod coverage;
mod coverage_illness;
mod coverage_site;
mod diagnoses;
mod held;
mod medical;
mod profiles;
mod receipts;
mod reports;
mod returns;
mod screening;
mod screening_refusals;
mod screening_site;
mod screening_store;
mod shared;
mod signals;
#[path = "../tube_api/site.rs"]
mod site;
mod staffing;
mod submissions;
#[path = "../town/mod.rs"]
mod town;
