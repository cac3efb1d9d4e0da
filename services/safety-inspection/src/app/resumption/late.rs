//! Who returns later, as the clearances that sampling told say (rule 4.8).

use chrono::{DateTime, Utc};

use super::Resumptions;
use crate::app::Site;
use crate::domain::resumption::late::{LateReturn, Reason};
use crate::error::Error;

/// A page of those who return later, and how many there are.
#[derive(Clone, Debug)]
pub(crate) struct Late {
    /// The page.
    pub(crate) people: Vec<LateReturn>,
    /// How many return later for each reason, on all pages.
    pub(crate) counts: Vec<(Reason, u32)>,
    /// When the facts were last confirmed.
    pub(crate) facts_time: Option<DateTime<Utc>>,
}

impl Resumptions {
    /// Who at and below an organisation returns later, after a place and a person. Reads first what is stored
    /// and not yet in memory.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn late_returns(
        &self,
        site: &Site,
        after: Option<(String, String)>,
        limit: u64,
    ) -> Result<Late, Error> {
        self.base.people.refresh().await?;
        let path = &site.organization.org_path;
        let (mut people, facts_time) = self.base.people.late_returns(path, self.base.today());
        let mut counts = std::collections::BTreeMap::new();
        for one in &people {
            *counts.entry(one.reason).or_insert(0_u32) += 1;
        }
        if let Some(after) = after {
            people.retain(|one| (one.org_path.clone(), one.person.to_string()) > after);
        }
        people.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(Late {
            people,
            counts: counts.into_iter().collect(),
            facts_time,
        })
    }
}
