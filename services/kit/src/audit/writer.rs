//! Writes records: many reads share one commit.

use std::time::Duration;

use futures_util::future::BoxFuture;
use proto::error::ErrorReason;
use sea_orm::DbErr;

use super::record::Record;
use crate::batch::Batcher;
use crate::bulk;
use crate::db::{Database, Tx};
use crate::drain::Drain;
use crate::status::Problem;

/// How many records may wait to be written before calls are refused.
const WAITING: usize = 8192;
/// How many records one transaction writes.
const TOGETHER: usize = 512;
/// After this a caller whose read could not be recorded may try again.
const AGAIN: Duration = Duration::from_secs(1);

/// Adds records to those that wait to be chained, in the transaction `tx`.
///
/// # Errors
/// When the database fails.
pub(crate) async fn write(tx: &Tx, records: &[Record]) -> Result<(), DbErr> {
    bulk::insert(tx, "audit_pending", Record::pending(records), "").await
}

/// Makes records durable.
#[derive(Clone, Debug)]
pub(super) struct Writer(Batcher<Record, bool>);

impl Writer {
    pub(super) fn start(db: Database, service: &'static str) -> Self {
        // It ends with its last user: calls under way are answered, and recorded, during the drain as well.
        let drain = Drain::new();
        let work = move |records: Vec<Record>| -> BoxFuture<'static, Vec<bool>> {
            let db = db.clone();
            Box::pin(async move {
                let written = together(&db, &records).await;
                if let Err(err) = &written {
                    tracing::error!(error = %err, "reads cannot be recorded and are refused");
                }
                vec![written.is_ok(); records.len()]
            })
        };
        Self(Batcher::spawn(WAITING, TOGETHER, drain, work).observed(service, "audit"))
    }

    /// Returns when `record` is durable.
    ///
    /// # Errors
    /// OVERLOADED when too many wait, UNAVAILABLE when the database fails.
    pub(super) async fn durable(&self, record: Record) -> Result<(), Problem> {
        if self.0.submit(record).await? {
            Ok(())
        } else {
            Err(Problem::new(ErrorReason::Unavailable).retry_after(AGAIN))
        }
    }
}

async fn together(db: &Database, records: &[Record]) -> Result<(), DbErr> {
    let tx = db.begin().await?;
    write(&tx, records).await?;
    tx.mark_audited();
    tx.commit().await
}
