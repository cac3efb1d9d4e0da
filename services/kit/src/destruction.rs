//! What each service does when an emergency is over: it destroys what it gathered of people, batch by
//! batch, deletes the key under which it was sealed, looks that nothing is left, and tells the roster
//! (rule 6.12).

mod report;
mod run;
mod store;

use std::collections::BTreeSet;
use std::fmt::Debug;

use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use uuid::Uuid;

use crate::db::{Database, Tx};

pub use report::Reporter;
pub use run::Runner;
pub use store::{Heard, TABLES, emergencies, hear};

/// What has to be destroyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Format: `destructionJobs/{destruction_job}`.
    pub job: String,
    /// The emergency.
    pub emergency: Uuid,
    /// When it began.
    pub start: DateTime<Utc>,
    /// When it ended; what was gathered at this instant is not of it.
    pub end: DateTime<Utc>,
    /// The categories of this service that are kept.
    pub kept: BTreeSet<String>,
}

/// A sealed value, copied before its key is deleted, to be tried afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// What it is bound to.
    pub owner: Vec<u8>,
    /// The value.
    pub sealed: Vec<u8>,
}

/// What one transaction did.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Where to go on; none when the category is done.
    pub cursor: Option<String>,
    /// How many records were destroyed.
    pub destroyed: i64,
    /// How many records were sealed under another key.
    pub resealed: i64,
    /// How many destroyed records were not sealed under the key of the emergency: old backups of the
    /// database still show them.
    pub exposed: i64,
    /// Some of the sealed values.
    pub samples: Vec<Sample>,
}

/// Destroys what one service gathered.
#[async_trait::async_trait]
pub trait Destroyer: Send + Sync + Debug + 'static {
    /// The categories, in the order in which they are destroyed. The roster knows them too.
    fn categories(&self) -> &'static [&'static str];

    /// Destroys a bounded part of a category, from `cursor` on, empty at first. What is sealed under
    /// the key of the emergency but kept, or not of it, is sealed under another key.
    async fn destroy(
        &self,
        tx: &Tx,
        order: &Order,
        category: &str,
        cursor: &str,
    ) -> Result<Batch, DbErr>;

    /// How many records of a category that is not kept are there.
    async fn remaining(&self, db: &Database, order: &Order, category: &str) -> Result<i64, DbErr>;
}
