//! The yearly ledger, taken away line by line; every time is written down.

use std::collections::BTreeMap;

use kit::auth::Caller;
use uuid::Uuid;

use super::{Hazards, name_of};
use crate::app::{Site, new_id};
use crate::domain::hazard::entry::Hazard;
use crate::domain::photo::Photo;
use crate::error::Error;
use crate::store::Store;
use crate::store::hazards::Export;

/// How many lines are read at a time.
const LINES: u64 = 100;

/// A hazard as a line of the ledger.
#[derive(Clone, Debug)]
pub(crate) struct LedgerLine {
    pub(crate) hazard: Hazard,
    pub(crate) before: Vec<Photo>,
    pub(crate) after: Vec<Photo>,
}

/// The lines of a ledger that were not read yet.
#[derive(Debug)]
pub(crate) struct LedgerPages {
    store: Store,
    place: String,
    year: i32,
    after: (String, i32),
}

impl Hazards {
    /// Writes down that the caller takes the ledger of a year at and below an organisation, and gives
    /// it.
    pub(crate) async fn export(
        &self,
        caller: &Caller,
        site: &Site,
        year: i32,
    ) -> Result<LedgerPages, Error> {
        let now = self.base.clock.now();
        let tx = self.base.store.database().begin().await?;
        let export = Export {
            id: new_id(now),
            organization: site.organization.id.clone(),
            year,
            exporter: name_of(caller).to_owned(),
            at: now,
        };
        Store::add_ledger_export(&tx, export).await?;
        kit::audit::act(&tx, caller);
        tx.commit().await?;
        Ok(LedgerPages {
            store: self.base.store.clone(),
            place: site.path.to_string(),
            year,
            after: (String::new(), 0),
        })
    }

    /// Who took the ledger of an organisation.
    pub(crate) async fn exports(
        &self,
        site: &Site,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Export>, Error> {
        let db = self.base.store.database().read();
        Ok(Store::ledger_exports(db, &site.organization.id, before, limit).await?)
    }
}

impl LedgerPages {
    /// The next lines; none at the end.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn next(&mut self) -> Result<Vec<LedgerLine>, Error> {
        let db = self.store.database().read();
        let after = (&*self.after.0, self.after.1);
        let found = Store::ledger(db, &self.place, self.year, after, LINES).await?;
        if let Some(last) = found.last() {
            self.after = (last.home.org_path.clone(), last.number.sequence);
        }
        let origins = found
            .iter()
            .flat_map(|hazard| [Some(hazard.name()), hazard.evidence()]);
        let origins: Vec<String> = origins.flatten().collect();
        let mut photos: BTreeMap<String, Vec<Photo>> = BTreeMap::new();
        for (origin, photo) in Store::photos(db, &origins).await? {
            photos.entry(origin).or_default().push(photo);
        }
        let lines = found.into_iter().map(|hazard| LedgerLine {
            before: photos.remove(&hazard.name()).unwrap_or_default(),
            after: hazard
                .evidence()
                .and_then(|evidence| photos.remove(&evidence))
                .unwrap_or_default(),
            hazard,
        });
        Ok(lines.collect())
    }
}
