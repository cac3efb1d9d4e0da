//! Destroys what gates and visits gathered of people for an emergency (rule 6.12).

use kit::db::{Database, Tx};
use kit::destruction::{Batch, Destroyer, Order, Sample};
use kit::vault::emergency_of;
use sea_orm::DbErr;
use uuid::Uuid;

use crate::app::visitors::owner;
use crate::seal::Seal;
use crate::store::Store;
use crate::store::destruction::Span;
use crate::store::visits::KeptVisit;

/// The name of this service among those that destroy.
pub(crate) const SERVICE: &str = "safety-inspection";
const VISITS: &str = "visits";
const DECISIONS: &str = "gate-decisions";
/// How many visits one transaction destroys.
const TOGETHER: u64 = 100;
/// How many decisions one transaction destroys.
const DECISIONS_TOGETHER: u64 = 1000;

/// Knows what this service gathered.
#[derive(Clone, Debug)]
pub(crate) struct Gathered {
    seal: Seal,
}

impl Gathered {
    pub(crate) fn new(seal: Seal) -> Self {
        Self { seal }
    }

    /// Visits of the emergency go with their history. Of the others, those that were sealed under its
    /// key (they are kept, or a replica heard late of its end) are sealed under another one.
    async fn visits(&self, tx: &Tx, order: &Order, cursor: &str) -> Result<Batch, DbErr> {
        let span = span(order);
        let after = Uuid::parse_str(cursor).ok();
        let visits = Store::visits_since(tx, &span, after, TOGETHER).await?;
        let full = visits.len() as u64 == TOGETHER;
        let last = visits.last().map(|kept| kept.visit.id);
        let mut batch = Batch {
            cursor: last.filter(|_| full).map(|id| id.to_string()),
            ..Batch::default()
        };
        for kept in visits {
            let under = emergency_of(&kept.card) == Some(order.emergency);
            if span.holds(kept.visit.created) && !order.kept.contains(VISITS) {
                Store::forget_visit(tx, kept.visit.id).await?;
                batch.destroyed += 1;
                batch.exposed += i64::from(!under);
                batch.samples.extend(under.then(|| Sample {
                    owner: owner(kept.visit.id, "card").into_bytes(),
                    sealed: kept.card,
                }));
            } else if under {
                self.reseal(tx, kept).await?;
                batch.resealed += 1;
            }
        }
        Ok(batch)
    }

    async fn reseal(&self, tx: &Tx, kept: KeptVisit) -> Result<(), DbErr> {
        let id = kept.visit.id;
        let again = |part: &str, sealed: &[u8]| {
            let shut = |_| DbErr::Custom("a visit whose seal cannot be opened".to_owned());
            self.seal.reseal(&owner(id, part), sealed).map_err(shut)
        };
        let card = again("card", &kept.card)?;
        let checked = match kept.checked.as_slice() {
            [] => Vec::new(),
            sealed => again("check", sealed)?,
        };
        Store::reseal_visit(tx, id, card, checked).await
    }

    /// Decisions are no secrets in the database: they are destroyed as rows.
    async fn decisions(tx: &Tx, order: &Order, cursor: &str) -> Result<Batch, DbErr> {
        if order.kept.contains(DECISIONS) {
            return Ok(Batch::default());
        }
        let Some(school) = Store::school_with_decisions(tx, cursor).await? else {
            return Ok(Batch::default());
        };
        let gone =
            Store::forget_decisions_during(tx, &school, &span(order), DECISIONS_TOGETHER).await?;
        let destroyed = i64::try_from(gone).unwrap_or(i64::MAX);
        let cursor = if gone < DECISIONS_TOGETHER {
            school
        } else {
            cursor.to_owned()
        };
        Ok(Batch {
            cursor: Some(cursor),
            destroyed,
            exposed: destroyed,
            ..Batch::default()
        })
    }
}

fn span(order: &Order) -> Span {
    Span {
        start: order.start,
        end: order.end,
    }
}

#[async_trait::async_trait]
impl Destroyer for Gathered {
    fn categories(&self) -> &'static [&'static str] {
        &[VISITS, DECISIONS]
    }

    async fn destroy(
        &self,
        tx: &Tx,
        order: &Order,
        category: &str,
        cursor: &str,
    ) -> Result<Batch, DbErr> {
        match category {
            VISITS => self.visits(tx, order, cursor).await,
            _ => Self::decisions(tx, order, cursor).await,
        }
    }

    async fn remaining(&self, db: &Database, order: &Order, category: &str) -> Result<i64, DbErr> {
        let span = span(order);
        match category {
            VISITS => Store::visits_during(db.read(), &span).await,
            _ => Store::decisions_during(db.read(), &span).await,
        }
    }
}
