//! The database: rows in and out. The only user of sea-orm.

mod append;
pub mod cards;
pub mod decisions;
mod entity;
pub mod facts;
mod packing;

use kit::db::Database;

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
