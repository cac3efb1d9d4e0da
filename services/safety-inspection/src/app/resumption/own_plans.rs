//! Universities are in no batch: each reports its own plan to the headquarters (rule 4.2).

use chrono::{DateTime, NaiveDate, Utc};
use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::rows::Lock;
use prost::Message;

use super::{Held, Resumptions, View};
use crate::app::{Site, denied};
use crate::domain::organization::Kind;
use crate::domain::resumption::inspection::Decision;
use crate::domain::resumption::own_plan::{OwnPlan, POSITION, Ruling};
use crate::domain::resumption::state::{Progress, Verb};
use crate::error::Error;
use crate::store::Store;
use crate::store::register::PAGE;
use crate::store::resumption::Kept;

/// What a university reports.
#[derive(Clone, Debug)]
pub(crate) struct Reported {
    pub(crate) text: String,
    /// The first day of teaching that it proposes.
    pub(crate) day: NaiveDate,
}

impl Resumptions {
    /// A university reports its plan.
    ///
    /// # Errors
    /// NOT_FOUND, RESUMPTION_STATE, RESUMPTION_DAY, or when the database fails.
    pub(crate) async fn report_own_plan<R: Message + Default>(
        &self,
        caller: &Caller,
        at: (&Site, i16),
        reported: Reported,
        once: (&str, &impl Message),
        render: impl FnOnce(View) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, held: Held| {
            let plan = OwnPlan {
                text: reported.text,
                day: reported.day,
                reporter: held.actor.clone(),
                reported: held.now,
                ruling: None,
            };
            held.step(tx, Verb::Report(plan), "").await
        };
        self.act(caller, at, ("ReportOwnPlan", once), work, render)
            .await
    }

    /// The headquarters says what becomes of a plan.
    ///
    /// # Errors
    /// SCOPE_DENIED for whoever looks after less than the city, NOT_FOUND, RESUMPTION_STATE,
    /// RESUMPTION_OWN_SCHOOL, or when the database fails.
    pub(crate) async fn decide_own_plan<R: Message + Default>(
        &self,
        caller: &Caller,
        at: (&Site, i16),
        (decision, opinion): (Decision, String),
        once: (&str, &impl Message),
        render: impl FnOnce(View) -> R,
    ) -> Result<R, Error> {
        if caller.scope.ids().count() > 1 {
            return Err(denied(Permission::ResumptionApprove).into());
        }
        let work = async |tx: &Tx, held: Held| {
            let note = format!("{} {opinion}", decision.as_str());
            let ruling = Ruling {
                decision,
                opinion,
                actor: held.actor.clone(),
                time: held.now,
            };
            held.step(tx, Verb::Rule(ruling), note.trim_end()).await
        };
        self.act(caller, at, ("DecideOwnPlan", once), work, render)
            .await
    }
}

/// The universities at and below a bureau that have no resumption yet, so that each that says nothing
/// is seen.
pub(super) async fn unopened(
    tx: &Tx,
    (bureau, place): (&str, &str),
    now: DateTime<Utc>,
) -> Result<Vec<Kept>, Error> {
    let (mut fresh, mut after) = (Vec::new(), String::new());
    loop {
        let page = Store::organizations_below(tx, place, &[Kind::University], &after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.org_path);
        let ids: Vec<String> = page.iter().map(|one| one.id.clone()).collect();
        let known = Store::resumptions_of(tx, &ids, Lock::Yes).await?;
        for one in page {
            if known.iter().all(|kept| kept.organization != one.id) {
                let at = (one.id, one.org_path);
                fresh.push(Kept::begun(at, (bureau, POSITION), Progress::own(), now));
            }
        }
    }
    Ok(fresh)
}
