//! Visits as they are read.

use kit::auth::Caller;
use kit::rows::Lock;
use uuid::Uuid;

use super::{Named, Opened, Visitors};
use crate::app::{Site, new_id};
use crate::domain::visitor::card::Card;
use crate::error::Error;
use crate::store::Store;
use crate::store::visits::VisitFilter;

impl Visitors {
    /// One visit with its history.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn visit(&self, named: &Named) -> Result<Opened, Error> {
        let now = self.base.clock.now();
        let db = self.base.store.database().read();
        let mut opened = self.open(db, named, Lock::No, now).await?;
        opened.events = Store::visit_events(db, named.id).await?;
        Ok(opened)
    }

    /// Visits at and below a place, without their checks and histories.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn visits(
        &self,
        site: &Site,
        filter: &VisitFilter,
        after: Option<(String, Uuid)>,
        limit: u64,
    ) -> Result<Vec<Opened>, Error> {
        let now = self.base.clock.now();
        let db = self.base.store.database().read();
        let found =
            Store::visits_below(db, (site.path.as_str(), now), filter, after, limit).await?;
        let opened = found.into_iter().map(|kept| {
            let mut opened = self.unseal(kept, now)?;
            opened.checked = None;
            Ok(opened)
        });
        opened.collect()
    }

    /// The visitor in full; who asked and why is kept first.
    ///
    /// # Errors
    /// When there is no such visit.
    pub(crate) async fn reveal(
        &self,
        caller: &Caller,
        named: &Named,
        reason: &str,
    ) -> Result<Card, Error> {
        let now = self.base.clock.now();
        let tx = self.base.store.database().begin().await?;
        let opened = self.open(&tx, named, Lock::No, now).await?;
        let who = (caller.subject.as_str(), reason);
        Store::disclose_visitor(&tx, new_id(now), &opened.visit, who, now).await?;
        tx.commit().await?;
        Ok(opened.card)
    }
}
