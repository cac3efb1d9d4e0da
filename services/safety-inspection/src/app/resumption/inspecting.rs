//! The joint inspection: three accounts are named, and each signs for its department.

use chrono::{DateTime, NaiveDate, Utc};
use kit::auth::{self, Caller, Role};
use kit::clock::civil_date;
use kit::db::Tx;
use kit::status::Problem;
use prost::Message;

use super::readiness::{checklist, noted, ready};
use super::{Held, Resumptions, View, waits_for};
use crate::app::Site;
use crate::domain::resumption::inspection::{Decision, Department, Signature};
use crate::domain::resumption::state::{State, Verb};
use crate::error::Error;
use crate::store::Store;
use crate::store::resumption::Kept;

/// What an inspector says.
#[derive(Clone, Debug)]
pub(crate) struct Opinion {
    pub(crate) decision: Decision,
    pub(crate) opinion: String,
    pub(crate) items: Vec<String>,
}

/// Whether somebody can speak for a department: bureaus for education, others for the others.
fn speaks_for(caller: &Caller, department: Department) -> bool {
    let bureau = caller.is(Role::DistrictOfficer) || caller.is(Role::CityOfficer);
    let partner = |own| caller.is(Role::PartnerSystem) && caller.department == Some(own);
    match department {
        Department::Education => bureau,
        Department::Health => caller.is(Role::DiseaseControl) || partner(auth::Department::Health),
        Department::MarketRegulation => partner(auth::Department::MarketRegulation),
    }
}

impl Resumptions {
    /// Begins the joint inspection with one account for each department.
    ///
    /// # Errors
    /// NOT_FOUND, RESUMPTION_STATE, RESUMPTION_OWN_SCHOOL, or when the database fails.
    pub(crate) async fn start_inspection<R: Message + Default>(
        &self,
        caller: &Caller,
        at: (&Site, i16),
        inspectors: [String; 3],
        once: (&str, &impl Message),
        render: impl FnOnce(View) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, held: Held| {
            let verb = Verb::StartInspection(inspectors);
            held.step(tx, verb, "").await
        };
        self.act(caller, at, ("StartJointInspection", once), work, render)
            .await
    }

    /// Signs for the department for which the caller was named.
    ///
    /// # Errors
    /// NOT_FOUND, INVALID_FIELD, RESUMPTION_STATE, RESUMPTION_INSPECTOR, RESUMPTION_SIGNED,
    /// RESUMPTION_OWN_SCHOOL, RESUMPTION_BLOCKED, or when the database fails.
    pub(crate) async fn sign_inspection<R: Message + Default>(
        &self,
        caller: &Caller,
        at: (&Site, i16),
        opinion: Opinion,
        once: (&str, &impl Message),
        render: impl FnOnce(View) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, held: Held| {
            let (now, today) = (held.now, civil_date(held.now));
            let progress = &held.kept.progress;
            let department = department(caller, &held.kept);
            let signature = Signature {
                inspector: caller.subject.clone(),
                decision: opinion.decision,
                opinion: opinion.opinion.clone(),
                items: opinion.items.clone(),
                time: now,
            };
            let decision = signature.decision;
            let verb = Verb::Sign(signature);
            let next = progress.clone().apply(verb.clone(), (now, today))?;
            if !department.is_some_and(|department| speaks_for(caller, department)) {
                return Err(Error::ResumptionInspector);
            }
            known(tx, &held.kept, &opinion.items, today).await?;
            let note = format!("{} {}", decision.as_str(), opinion.opinion);
            if next.state == State::Approved {
                return approved(tx, held, verb, note.trim_end()).await;
            }
            held.step(tx, verb, note.trim_end()).await
        };
        self.act(caller, at, ("SignJointInspection", once), work, render)
            .await
    }
}

fn department(caller: &Caller, kept: &Kept) -> Option<Department> {
    let inspection = kept.progress.inspection.as_ref()?;
    inspection.department_of(&caller.subject)
}

/// The last of three approvals: nothing may block.
async fn approved(tx: &Tx, held: Held, verb: Verb, note: &str) -> Result<Kept, Error> {
    let (now, today): (DateTime<Utc>, NaiveDate) = (held.now, civil_date(held.now));
    let order = waits_for(&held.school, held.kept.position).next().is_some();
    let rules = Store::rules(tx).await?;
    let found = ready(tx, held.kept.clone(), order, &rules, (now, today)).await?;
    found.refused()?;
    let kept = held.step(tx, verb, note).await?;
    let kept = noted(kept, &found.readiness, &found.guards, order, now);
    Store::save_resumptions(tx, std::slice::from_ref(&kept)).await?;
    Ok(kept)
}

/// Checks that demanded items stand in the checklist.
async fn known(tx: &Tx, kept: &Kept, items: &[String], today: NaiveDate) -> Result<(), Error> {
    if items.is_empty() {
        return Ok(());
    }
    let (_, entries) = checklist(tx, kept, today).await?;
    for (place, item) in items.iter().enumerate() {
        if entries.iter().all(|entry| entry.id != *item) {
            let field = format!("items[{place}]");
            let (zh, en) = ("检查表中没有此项目", "not an item of the checklist");
            return Err(Problem::invalid(field, zh, en).into());
        }
    }
    Ok(())
}
