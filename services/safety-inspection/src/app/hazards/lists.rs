//! Lists of hazards and of what was done to them.

use super::{Hazards, View};
use crate::app::Site;
use crate::domain::hazard::entry::Hazard;
use crate::error::Error;
use crate::store::Store;
use crate::store::hazards::{Change, Listed, ProgressReport};

impl Hazards {
    /// Hazards at and below an organisation, newest first, without pictures.
    pub(crate) async fn list(
        &self,
        site: &Site,
        listed: Listed,
        limit: u64,
    ) -> Result<Vec<View>, Error> {
        let db = self.base.store.database().read();
        let found = Store::hazards(db, site.path.as_str(), listed, limit).await?;
        let today = self.today();
        let views = found.into_iter().map(|hazard| View {
            hazard,
            photos: Vec::new(),
            after: Vec::new(),
            today,
        });
        Ok(views.collect())
    }

    /// What was done to a hazard after the act with this number.
    pub(crate) async fn changes(
        &self,
        hazard: &Hazard,
        after: i32,
        limit: u64,
    ) -> Result<Vec<Change>, Error> {
        let db = self.base.store.database().read();
        Ok(Store::hazard_changes(db, hazard.id, after, limit).await?)
    }

    /// Reports of progress on a hazard after the one with this number.
    pub(crate) async fn progress(
        &self,
        hazard: &Hazard,
        after: i32,
        limit: u64,
    ) -> Result<Vec<ProgressReport>, Error> {
        let db = self.base.store.database().read();
        Ok(Store::progress_reports(db, hazard.id, after, limit).await?)
    }
}
