//! How class groups are taught, for bureaus that look at all of them at once.

use kit::auth::{Caller, Permission};
use kit::org::OrgPath;

use super::App;
use crate::domain::teaching::{TeachingSummary, right_below};
use crate::error::Error;
use crate::store::teaching_summary as store;

impl App {
    /// The place of an organisation, and how the class groups at or below it are taught.
    pub(crate) async fn get_teaching_summary(
        &self,
        caller: &Caller,
        organization: &str,
    ) -> Result<(OrgPath, TeachingSummary), Error> {
        let place = self.summarised_place(caller, organization).await?;
        let counted = store::whole(self.db.read(), &place).await?;
        Ok((place, counted))
    }

    /// One page of the places right below an organisation that have class groups: how these are taught, after
    /// the id `after`, ordered by id.
    pub(crate) async fn list_teaching_summaries(
        &self,
        caller: &Caller,
        organization: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<(OrgPath, TeachingSummary)>, Error> {
        let above = self.summarised_place(caller, organization).await?;
        let schools = store::by_school(self.db.read(), &above).await?;
        let counted = right_below(above.as_str(), schools).into_iter();
        let page = counted.filter(|(id, _)| id.as_str() > after).take(limit);
        Ok(page
            .map(|(id, counted)| (above.join(&id), counted))
            .collect())
    }

    async fn summarised_place(
        &self,
        caller: &Caller,
        organization: &str,
    ) -> Result<OrgPath, Error> {
        let found = self
            .organization(caller, Permission::RosterRead, organization)
            .await?;
        Ok(found.org_path.parse().unwrap_or_default())
    }
}
