//! Access to data of minors beyond daily work, as clients see it, on both databases.

#[path = "../desk/mod.rs"]
mod desk;
#[path = "../people/mod.rs"]
mod people;

mod approvals;
mod bulk;
mod hands;
mod subjects;
