//! Inspections as they are read: whole, in lists, and item by item.

use std::collections::HashMap;

use kit::auth::Caller;
use kit::rows::Lock;
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{Inspections, recording};
use crate::app::{Site, place};
use crate::domain::checklist::item::{Outcome, PlaceKind};
use crate::domain::checklist::template::Entry;
use crate::domain::inspection::answer::{Answer, counting, outcome};
use crate::domain::inspection::state::{Inspection, State};
use crate::domain::photo::{Scene, Showing};
use crate::error::Error;
use crate::store::Store;
use crate::store::inspections::{Change, Finding, answer_name};

/// An inspection with its history and what it found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) inspection: Inspection,
    pub(crate) changes: Vec<Change>,
    pub(crate) findings: Vec<Finding>,
}

impl Found {
    /// What stands beside an inspection.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn read(
        db: &impl ConnectionTrait,
        inspection: Inspection,
    ) -> Result<Self, DbErr> {
        Ok(Self {
            changes: Store::inspection_changes(db, &inspection.name()).await?,
            findings: Store::findings(db, inspection.id).await?,
            inspection,
        })
    }
}

/// Where a picture was shown before, as far as the caller may know, and where it was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Resources at places that the caller may read, the first first.
    pub(crate) before: Vec<String>,
    /// How often at other organisations.
    pub(crate) elsewhere: u32,
    /// How many metres from the place it was taken; none when that is not known.
    pub(crate) distance: Option<u32>,
    /// It was taken somewhere else.
    pub(crate) misplaced: bool,
}

/// An item of an inspection, what was answered and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Looked {
    pub(crate) entry: Entry,
    pub(crate) outcome: Outcome,
    pub(crate) answer: Option<Answer>,
    /// For each photo of the answer.
    pub(crate) shown: Vec<Shown>,
    pub(crate) finding: Option<Finding>,
}

impl Inspections {
    /// One inspection.
    ///
    /// # Errors
    /// Not found.
    pub(crate) async fn inspection(&self, site: &Site, id: Uuid) -> Result<Found, Error> {
        let db = self.base.store.database().read();
        Ok(Found::read(db, self.record_of(site, id).await?).await?)
    }

    async fn record_of(&self, site: &Site, id: Uuid) -> Result<Inspection, Error> {
        let db = self.base.store.database().read();
        let organization = &site.organization.id;
        let found = Store::inspection(db, organization, id, Lock::No).await?;
        found.ok_or_else(|| {
            let id = id.hyphenated();
            Error::NotFound(format!("organizations/{organization}/inspections/{id}"))
        })
    }

    /// The inspections at and below a place that were planned before `before`, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn inspections(
        &self,
        site: &Site,
        listed: (Option<State>, Option<PlaceKind>),
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Inspection>, Error> {
        let db = self.base.store.database().read();
        Ok(Store::inspections(db, site.path.as_str(), listed, before, limit).await?)
    }

    /// The items of an inspection from the `skip`th on, of one outcome or of any, with the place of each
    /// among all.
    ///
    /// # Errors
    /// Not found.
    pub(crate) async fn items(
        &self,
        caller: &Caller,
        (site, id): (&Site, Uuid),
        wanted: Option<Outcome>,
        (skip, limit): (usize, usize),
    ) -> Result<Vec<(usize, Looked)>, Error> {
        let inspection = self.record_of(site, id).await?;
        let db = self.base.store.database().read();
        let entries = recording::checklist(db, &inspection).await?;
        let mut answers = counting(Store::answers(db, &inspection).await?);
        let mut findings: HashMap<String, Finding> = Store::findings(db, inspection.id)
            .await?
            .into_iter()
            .map(|finding| (finding.item.clone(), finding))
            .collect();
        let page = entries
            .into_iter()
            .enumerate()
            .skip(skip)
            .filter_map(|(place, entry)| {
                let answer = answers.remove(&entry.id);
                let outcome = outcome(&entry, answer.as_ref());
                let finding = findings.remove(&entry.id);
                let looked = Looked {
                    entry,
                    outcome,
                    answer,
                    shown: Vec::new(),
                    finding,
                };
                wanted
                    .is_none_or(|wanted| wanted == outcome)
                    .then_some((place, looked))
            })
            .take(limit);
        let mut page: Vec<(usize, Looked)> = page.collect();
        let scene = recording::scene_of(db, &inspection).await?;
        for (_, looked) in &mut page {
            looked.shown = self.shown(caller, (&inspection, &scene), looked).await?;
        }
        Ok(page)
    }

    /// Where each photo of an answer was shown before it, and where it was taken.
    async fn shown(
        &self,
        caller: &Caller,
        (inspection, scene): (&Inspection, &Scene),
        looked: &Looked,
    ) -> Result<Vec<Shown>, Error> {
        let Some(answer) = &looked.answer else {
            return Ok(Vec::new());
        };
        let db = self.base.store.database().read();
        let hashes: Vec<[u8; 32]> = answer.photos.iter().map(|photo| photo.sha256).collect();
        let showings = Store::showings(db, &hashes, "").await?;
        let own = answer_name(inspection, answer.client_id);
        let before = |hash: &[u8; 32]| {
            let same: Vec<&Showing> = showings
                .iter()
                .filter(|showing| showing.sha256 == *hash)
                .collect();
            let until = same.iter().position(|showing| showing.origin == own);
            same.into_iter()
                .take(until.unwrap_or(usize::MAX))
                .collect::<Vec<_>>()
        };
        let told = answer.photos.iter().map(|photo| {
            let before = before(&photo.sha256);
            let elsewhere = before
                .iter()
                .filter(|showing| showing.organization != inspection.organization);
            let readable = before
                .iter()
                .filter(|showing| caller.scope.contains(&place(&showing.org_path)));
            Shown {
                before: readable
                    .map(|showing| showing.origin.clone())
                    .take(MOST_SHOWN)
                    .collect(),
                elsewhere: u32::try_from(elsewhere.count()).unwrap_or(u32::MAX),
                distance: scene.distance(photo),
                misplaced: scene.is_elsewhere(photo),
            }
        });
        Ok(told.collect())
    }
}

/// How many earlier showings of a picture are named.
const MOST_SHOWN: usize = 10;
