//! The review: causes become hazards, and somebody is held to account.

use kit::auth::Caller;
use prost::Message;
use uuid::Uuid;

use super::{Incidents, Once, Told, instant};
use crate::app::{Site, level_of};
use crate::domain::hazard::report::{Category, Report, Source};
use crate::domain::incident::category::Measure;
use crate::domain::organization::Level;
use crate::error::Error;
use crate::store::Store;
use crate::store::incidents::{AccountabilityRow, CauseRow};

/// A cause that was found.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    /// What must be removed.
    pub(crate) description: String,
    /// The field.
    pub(crate) category: Category,
    /// Where in the organisation.
    pub(crate) place: String,
}

/// Somebody held to account.
#[derive(Clone, Debug)]
pub(crate) struct Blame {
    /// The post.
    pub(crate) post: String,
    /// `staff/{staff_member}`; may be empty.
    pub(crate) staff_member: String,
    /// What was done.
    pub(crate) measure: Measure,
    /// On what basis.
    pub(crate) basis: String,
}

impl Incidents {
    /// Keeps what a review found; each cause becomes a hazard.
    pub(crate) async fn review<M: Message, R: Message + Default>(
        &self,
        (caller, site): (&Caller, &Site),
        id: Uuid,
        (causes, blamed): (Vec<Cause>, Vec<Blame>),
        once: Once<'_, M>,
        render: impl FnOnce(Told, ()) -> R,
    ) -> Result<R, Error> {
        let at = (caller, site);
        self.act(
            at,
            id,
            once,
            async |tx, file, now| {
                let by = now.by(caller, "");
                let handled = Store::handled_incident(tx, id, by.actor).await?;
                let is_bureau = level_of(tx, caller).await? > Level::School;
                let event = file.review(handled, is_bureau, by)?;
                let reports = causes.iter().map(|cause| Report {
                    place: cause.place.clone(),
                    category: cause.category,
                    description: cause.description.clone(),
                    photos: Vec::new(),
                    source: Source::Incident,
                    origin: file.incident.name(),
                    major_rules: Vec::new(),
                    proposed: None,
                    clause: None,
                });
                let found = instant(now.time);
                let hazards = self
                    .base
                    .open_hazards(tx, site, reports.collect(), by.actor, found)
                    .await?;
                let causes = (1..).zip(causes).zip(hazards);
                let causes = causes.map(|((sequence, cause), hazard)| CauseRow {
                    incident: id,
                    sequence,
                    description: cause.description,
                    category: cause.category as i16,
                    place: cause.place,
                    hazard,
                });
                let blamed = (1..).zip(blamed);
                let blamed = blamed.map(|(sequence, blame)| AccountabilityRow {
                    incident: id,
                    sequence,
                    post: blame.post,
                    staff_member: blame.staff_member,
                    measure: blame.measure as i16,
                    basis: blame.basis,
                });
                let findings = (causes.collect(), blamed.collect());
                Store::add_incident_findings(tx, &findings).await?;
                Ok((vec![event], ()))
            },
            render,
        )
        .await
    }
}
