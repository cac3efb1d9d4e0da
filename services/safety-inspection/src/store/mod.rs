//! The database: rows in and out. The only user of sea-orm.

mod buses;
pub mod campus;
pub mod destruction;
pub mod drills;
pub mod duty;
pub mod figures;
pub mod gate;
pub mod hazards;
pub mod held;
pub mod incidents;
pub mod inspections;
pub mod moves;
pub mod photos;
pub mod protection;
pub mod records;
pub mod refuges;
pub mod register;
pub mod resumption;
pub mod supply;
pub(crate) mod told;
pub mod visits;
pub mod weather;

use chrono::{Datelike, NaiveDate};
use kit::db::Database;
use sea_orm::DbErr;

/// The tables of this service.
#[derive(Clone, Debug)]
pub struct Store {
    db: Database,
}

impl Store {
    /// The tables in `db`.
    pub fn new(db: Database) -> Self {
        Self { db }
    }

    /// The database beneath.
    pub fn database(&self) -> &Database {
        &self.db
    }
}

fn unreadable(what: &str) -> DbErr {
    DbErr::Type(format!("a row with an unreadable {what}"))
}

/// The first text that sorts after everything below `place`.
fn below_end(place: &str) -> String {
    format!("{place}0")
}

/// A civil day as it is stored: counted from the year 1, so that the end of time is one of them.
fn day_number(day: NaiveDate) -> i32 {
    day.num_days_from_ce()
}

fn day_of(number: i32) -> Result<NaiveDate, DbErr> {
    NaiveDate::from_num_days_from_ce_opt(number).ok_or_else(|| unreadable("day"))
}
