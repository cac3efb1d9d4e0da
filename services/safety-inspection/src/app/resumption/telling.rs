//! Sees that the register has how pupils are taught: each decision is durable before the register is
//! called, the calls of a school are made one after the other, a call repeats until it is answered,
//! and a repeat has one effect.

use futures_util::StreamExt;
use futures_util::stream;
use kit::clock::civil_date;
use kit::rows::Lock;
use kit::teaching::{backoff, request_id};
use proto::roster::SetTeachingModeRequest;
use proto::roster::set_teaching_mode_request::Ground;

use super::scheduling::by_time;
use super::{Resumptions, path_of, policy};
use crate::domain::resumption::state::{State, Verb};
use crate::error::Error;
use crate::store::Store;
use crate::store::resumption::{CallRow, Told};

/// Calls under way at a time.
const AT_ONCE: usize = 8;

impl Resumptions {
    /// Tells the register, and keeps what came of it.
    pub(super) async fn tell_all(&self, calls: Vec<CallRow>) {
        stream::iter(calls)
            .for_each_concurrent(AT_ONCE, |call| async move {
                let told = self.teaching.set(request(&call)).await;
                if let Err(status) = &told {
                    let (code, organization) = (status.code(), &call.organization);
                    tracing::warn!(?code, %organization, "the roster cannot be told, trying again");
                }
                if let Err(err) = self.told(&call, told.is_ok()).await {
                    tracing::warn!(error = %err, "what the roster was told is not kept, telling it again");
                }
            })
            .await;
    }

    /// The register has it, or is told later again. Once it has all of a resumption, that is
    /// watched.
    async fn told(&self, call: &CallRow, told: bool) -> Result<(), Error> {
        let now = self.now();
        let again = now.timestamp_millis() + backoff(call.attempts);
        let tx = self.base.store.database().begin().await?;
        let told = Store::resumption_told(&tx, call, told, again).await?;
        if let Told::Done(position) = told
            && position > 0
        {
            let ids = [call.organization.clone()];
            let school = Store::resumptions_of(&tx, &ids, Lock::Yes).await?;
            let kept = school.into_iter().find(|kept| kept.position == position);
            if let Some(kept) = kept.filter(|kept| kept.progress.state == State::Resumed) {
                let rules = Store::rules(&tx).await?;
                let profile = rules.policy(&path_of(&kept), civil_date(now));
                let days = policy::monitor_days(profile);
                by_time(&tx, kept, Verb::Monitor(days), now).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }
}

/// The call: the same for each attempt, so that the register sees one request.
fn request(call: &CallRow) -> SetTeachingModeRequest {
    let step = format!("resumption/{}/{}", call.organization, call.number);
    SetTeachingModeRequest {
        name: call.target.clone(),
        teaching_mode: call.teaching.into(),
        grades: call.grades(),
        reason: call.reason.clone(),
        request_id: request_id(&step),
        ground: Ground::General.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_is_one_request_however_often_it_is_made() {
        let call = |number, attempts| CallRow {
            number,
            attempts,
            ..CallRow::new(
                "2135010001",
                "organizations/2135010001".to_owned(),
                &[9, 12],
                0,
            )
        };
        let first = request(&call(1, 0));
        assert_eq!(first, request(&call(1, 7)));
        assert_eq!(first.grades, [9, 12]);
        assert_ne!(first.request_id, request(&call(2, 0)).request_id);
    }
}
