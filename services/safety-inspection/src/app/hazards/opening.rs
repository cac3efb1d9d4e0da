//! Hazards begin: found by somebody, or by an inspection, a drill, an incident or a sweep.

use chrono::{DateTime, Utc};
use kit::db::Tx;

use crate::app::{Base, Site, new_id};
use crate::domain::hazard::report::Report;
use crate::error::Error;
use crate::store::Store;
use crate::store::hazards::HazardRow;

impl Base {
    /// Opens a hazard for each report, found by `finder`, and returns their names.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn open_hazards(
        &self,
        tx: &Tx,
        site: &Site,
        reports: Vec<Report>,
        finder: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<String>, Error> {
        let (organization, org_path) = (&site.organization.id, &site.organization.org_path);
        let mut names = Vec::with_capacity(reports.len());
        for report in reports {
            let id = new_id(now);
            let name = format!("organizations/{organization}/hazards/{}", id.hyphenated());
            let row = HazardRow::new(id, (organization, org_path), &report, finder, now);
            Store::add_hazard(tx, row).await?;
            let place = (organization.as_str(), org_path.as_str());
            Store::add_photos(tx, place, &name, &report.photos, now).await?;
            names.push(name);
        }
        Ok(names)
    }
}
