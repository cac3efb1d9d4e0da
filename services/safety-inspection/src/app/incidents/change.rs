//! Moves that answer with the incident.

use kit::auth::Caller;
use prost::Message;
use uuid::Uuid;

use super::{Incidents, Once, Told};
use crate::app::Site;
use crate::domain::incident::category::Confidential;
use crate::domain::incident::harm::{Casualties, Level};
use crate::error::Error;
use crate::store::Store;

/// What is done; each with its words.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// Confirms the incident and its level.
    Confirm(Option<Level>, Option<Confidential>),
    /// Makes it confidential.
    MakeConfidential(Confidential),
    /// Begins or resumes the response.
    Respond,
    /// Notes that the danger is over.
    Control,
    /// Notes a false alarm.
    Dismiss,
    /// Sets another level.
    Relevel(Level),
    /// Supplements casualties.
    Supplement(Casualties),
    /// Closes it.
    Close,
}

impl Incidents {
    /// Makes a change, with its reason in words.
    pub(crate) async fn change<M: Message, R: Message + Default>(
        &self,
        (caller, site): (&Caller, &Site),
        id: Uuid,
        (change, reason): (Change, &str),
        once: Once<'_, M>,
        render: impl FnOnce(Told, ()) -> R,
    ) -> Result<R, Error> {
        let at = (caller, site);
        self.act(
            at,
            id,
            once,
            async |tx, file, now| {
                let (by, judge) = (now.by(caller, reason), now.judge);
                let events = match change {
                    Change::Confirm(level, confidential) => {
                        vec![file.confirm(level, confidential, judge, by)?]
                    }
                    Change::MakeConfidential(why) => {
                        Vec::from_iter(file.make_confidential(why, by)?)
                    }
                    Change::Respond => vec![file.respond(by)?],
                    Change::Control => vec![file.control(by)?],
                    Change::Dismiss => {
                        let handled = Store::handled_incident(tx, id, by.actor).await?;
                        vec![file.dismiss(handled, by)?]
                    }
                    Change::Relevel(level) => vec![file.relevel(level, judge, by)?],
                    Change::Supplement(harm) => file.supplement(harm, judge, by)?,
                    Change::Close => vec![file.close(by)?],
                };
                Ok((events, ()))
            },
            render,
        )
        .await
    }
}
