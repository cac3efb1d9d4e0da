//! Reports: written, never changed.

use kit::auth::Caller;
use prost::Message;
use uuid::Uuid;

use super::{Incidents, Once};
use crate::app::Site;
use crate::domain::incident::harm::Casualties;
use crate::domain::incident::state::Verb;
use crate::error::Error;
use crate::store::Store;
use crate::store::incidents::ReportRow;

/// A report to be written.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// `FirstReport`, `FollowUp` or `FinalReport`.
    pub(crate) verb: Verb,
    /// The casualties so far.
    pub(crate) harm: Casualties,
    /// Why it goes straight to the city; only in a first report, else empty.
    pub(crate) over_level_reason: String,
    /// Its words.
    pub(crate) words: ReportRow,
}

impl Incidents {
    /// Writes the next report.
    pub(crate) async fn report<M: Message, R: Message + Default>(
        &self,
        (caller, site): (&Caller, &Site),
        id: Uuid,
        draft: Draft,
        once: Once<'_, M>,
        render: impl FnOnce(&str, &ReportRow) -> R,
    ) -> Result<R, Error> {
        let at = (caller, site);
        self.act(
            at,
            id,
            once,
            async |tx, file, now| {
                let by = now.by(caller, &draft.over_level_reason);
                let (due, events) = file.report(draft.verb, draft.harm, now.judge, by)?;
                if !draft.over_level_reason.is_empty() {
                    let reason = draft.over_level_reason.clone();
                    file.incident.over_level_reason = reason;
                }
                let report = ReportRow {
                    incident: id,
                    sequence: file.incident.reports,
                    time: now.time,
                    due,
                    late: due != 0 && now.time > due,
                    author: caller.subject.clone(),
                    level: file.incident.level as i16,
                    ..draft.words.with_harm(&draft.harm)
                };
                Store::add_incident_report(tx, &report).await?;
                Ok((events, report))
            },
            |told, report| render(&told.file.incident.name(), &report),
        )
        .await
    }
}
