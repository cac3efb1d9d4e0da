//! Destroys what sampling and health gathered of people for an emergency (rule 6.12). Nothing of it is
//! sealed in the database, so rows are deleted, and old backups show them until they are deleted too.

use kit::clock::civil_date;
use kit::db::{Database, Tx};
use kit::destruction::{Batch, Destroyer, Order};
use kit::feed::{Change, announce};
use sea_orm::DbErr;

use crate::grpc::announced::sampling_change;
use crate::store::destruction::{CASES, CHECKS, CONTACTS, HOLDS, Leaving, Part, Span, TUBES};

/// The name of this service among those that destroy.
pub(crate) const SERVICE: &str = "sampling";
const RESULTS: &str = "tube-results";
/// How many rows of a table one transaction deletes.
const TOGETHER: u64 = 500;

/// Knows what this service gathered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gathered;

fn span(order: &Order) -> Span {
    Span {
        start: order.start.timestamp_millis(),
        end: order.end.timestamp_millis(),
        first_day: civil_date(order.start).into(),
        last_day: civil_date(order.end).into(),
    }
}

fn parts(category: &str) -> &'static [Part] {
    match category {
        RESULTS => &[TUBES],
        "holds" => &[HOLDS],
        "health-checks" => &CHECKS,
        "medical-cases" => &CASES,
        "contacts" => &CONTACTS,
        _ => &[],
    }
}

/// What is told of rows that leave the snapshot of the feed.
pub(super) fn gone(leaving: Vec<Leaving>) -> Vec<Change> {
    let gone = leaving
        .into_iter()
        .map(|it| sampling_change(it.kind, it.name, it.version + 1, &it.org_path, None));
    gone.collect()
}

#[async_trait::async_trait]
impl Destroyer for Gathered {
    fn categories(&self) -> &'static [&'static str] {
        // Contacts before the cases that they hang on, tubes before the holds that keep them.
        &[
            RESULTS,
            "holds",
            "health-checks",
            "contacts",
            "medical-cases",
        ]
    }

    async fn destroy(
        &self,
        tx: &Tx,
        order: &Order,
        category: &str,
        cursor: &str,
    ) -> Result<Batch, DbErr> {
        let index: usize = cursor.parse().unwrap_or_default();
        let part = parts(category).get(index);
        let Some(part) = part.filter(|_| !order.kept.contains(category)) else {
            return Ok(Batch::default());
        };
        let span = span(order);
        let leaving = part.leaving(tx, &span, TOGETHER).await?;
        announce(tx, gone(leaving)).await?;
        let deleted = part.delete(tx, &span, TOGETHER).await?;
        let destroyed = i64::try_from(deleted).unwrap_or(i64::MAX);
        let next = index + usize::from(deleted < TOGETHER);
        Ok(Batch {
            cursor: Some(next.to_string()),
            destroyed,
            exposed: destroyed,
            ..Batch::default()
        })
    }

    async fn remaining(&self, db: &Database, order: &Order, category: &str) -> Result<i64, DbErr> {
        let span = span(order);
        let mut count = 0;
        for part in parts(category) {
            count += part.count(db.read(), &span).await?;
        }
        Ok(count)
    }
}
