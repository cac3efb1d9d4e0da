//! The database: rows in and out. The only user of sea-orm.

pub mod drills;
pub mod duty;
pub mod gate;
pub mod hazards;
pub mod incidents;
pub mod inspections;
pub mod moves;
pub mod photos;
pub mod records;
pub mod register;
pub mod visits;
pub mod weather;

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
