//! What is known of the register: written as its feed tells it, read by use cases.

mod organizations;
mod policies;
mod responsibility;
mod rolls;

use std::collections::BTreeMap;

use kit::db::{Tx, statement};
use kit::rows::Row;
use sea_orm::{ConnectionTrait, DbErr};

pub use organizations::{OrganizationRow, PAGE};
pub use policies::{AuditFloors, CalendarYearRow, PolicyRow, Rules};
pub use responsibility::{ResponsibilityRollRow, duties_text};
pub use rolls::{ClassGroup, ClassGroupRow, StaffRollRow, posts_text};

use super::Store;

/// A row as a feed told it.
pub trait Told: Row {
    /// The only column of its key.
    fn key(&self) -> &str;
    /// Grows with each change.
    fn version(&self) -> i64;
}

macro_rules! told {
    ($($row:ty: $key:ident),+ $(,)?) => {
        $(impl Told for $row {
            fn key(&self) -> &str {
                &self.$key
            }

            fn version(&self) -> i64 {
                self.version
            }
        })+
    };
}

told!(
    OrganizationRow: id,
    ClassGroupRow: name,
    StaffRollRow: organization,
    ResponsibilityRollRow: organization,
    PolicyRow: name,
    CalendarYearRow: year,
);

/// What one batch of the feed changes in one table.
#[derive(Debug)]
pub struct Changes<R> {
    newest: BTreeMap<String, Result<R, i64>>,
}

impl<R> Default for Changes<R> {
    fn default() -> Self {
        Self {
            newest: BTreeMap::new(),
        }
    }
}

impl<R: Told> Changes<R> {
    /// The entity is so now.
    pub fn set(&mut self, row: R) {
        if self.is_newer(row.key(), row.version()) {
            self.newest.insert(row.key().to_owned(), Ok(row));
        }
    }

    /// The entity is gone since `version`.
    pub fn remove(&mut self, key: &str, version: i64) {
        if self.is_newer(key, version) {
            self.newest.insert(key.to_owned(), Err(version));
        }
    }

    fn is_newer(&self, key: &str, version: i64) -> bool {
        match self.newest.get(key) {
            Some(Ok(known)) => version > known.version(),
            Some(Err(known)) => version > *known,
            None => true,
        }
    }

    /// Writes what is newer than what is stored, or the first sight in a generation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write(self, tx: &Tx) -> Result<(), DbErr> {
        let mut rows = Vec::with_capacity(self.newest.len());
        for (key, change) in self.newest {
            match change {
                Ok(row) => rows.push(row),
                Err(version) => {
                    let sql = format!(
                        "DELETE FROM {} WHERE {} = $1 AND version < $2",
                        R::TABLE,
                        R::KEY[0]
                    );
                    tx.execute_raw(statement(tx, &sql, [key.into(), version.into()]))
                        .await?;
                }
            }
        }
        R::save_newer(tx, &rows).await
    }
}

impl Store {
    /// Removes what a snapshot of the register did not mention.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_register(tx: &Tx, generation: i64) -> Result<(), DbErr> {
        for table in [
            OrganizationRow::TABLE,
            ClassGroupRow::TABLE,
            StaffRollRow::TABLE,
            ResponsibilityRollRow::TABLE,
            PolicyRow::TABLE,
            CalendarYearRow::TABLE,
        ] {
            let sql = format!("DELETE FROM {table} WHERE generation < $1");
            tx.execute_raw(statement(tx, &sql, [generation.into()]))
                .await?;
        }
        Ok(())
    }
}
