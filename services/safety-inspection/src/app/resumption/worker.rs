//! What happens by itself: a day comes, watching ends, guards are asked again, the register is told.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use kit::db::Tx;
use kit::rows::Lock;
use kit::teaching::CUT_OFF;
use tokio::sync::Notify;

use super::Resumptions;
use crate::app::looking::{Look, turn};
use crate::error::Error;
use crate::store::Store;
use crate::store::resumption::{Kept, NEVER};

/// How many are handled in one transaction.
const TOGETHER: u64 = 64;
/// A school that cannot be judged is tried again after so long.
const AGAIN: TimeDelta = TimeDelta::minutes(10);
/// How many schools are looked at in one transaction.
const LOOKED_AT: u64 = 16;
/// How many causes to look at schools anew are handled in one transaction.
const CAUSES: u64 = 64;

impl Look for Resumptions {
    const NAME: &'static str = "resumption";

    fn wake(&self) -> &Notify {
        &self.wake
    }

    async fn pass(&self, holder: &str) -> Result<bool, Error> {
        let db = self.base.store.database();
        let now = self.now();
        let millis = now.timestamp_millis();
        if !Store::resumption_is_due(db.read(), millis).await? {
            return Ok(false);
        }
        let Some(tx) = turn::<Self>(db, holder).await? else {
            return Ok(false);
        };
        let due = Store::resumptions_due(&tx, millis, LOOKED_AT).await?;
        let unseen = Store::resumptions_to_check(&tx, millis, LOOKED_AT).await?;
        let causes = Store::readiness_causes(&tx, CAUSES).await?;
        let looked_at = due.len() + unseen.len() + causes.len();
        if looked_at > 0 {
            // All at once, in the order in which everybody takes them.
            let ids = due.iter().chain(&unseen).map(|kept| &kept.organization);
            let ids = ids.chain(causes.iter().map(|(_, school)| school)).cloned();
            let ids: BTreeSet<String> = ids.collect();
            let ids: Vec<String> = ids.into_iter().collect();
            let held = Store::resumptions_of(&tx, &ids, Lock::Yes).await?;
            let rules = Store::rules(&tx).await?;
            let changed: BTreeSet<&str> = causes.iter().map(|(_, school)| &**school).collect();
            for kept in held {
                if kept.check_at != NEVER && changed.contains(&*kept.organization) {
                    let now_due = Kept {
                        check_at: kept.check_at.min(millis),
                        ..kept
                    };
                    let done = Self::look_at(&tx, now_due.clone(), &rules, now).await;
                    put_off(&tx, now_due, done, now).await?;
                }
            }
            let seen = causes.into_iter().map(|(id, _)| id).collect();
            Store::judged_anew(&tx, seen).await?;
            for kept in due {
                let done = Self::come_due(&tx, kept.clone(), &rules, now).await;
                put_off(&tx, kept, done, now).await?;
            }
            for kept in unseen {
                let done = Self::look_at(&tx, kept.clone(), &rules, now).await;
                put_off(&tx, kept, done, now).await?;
            }
        }
        let again = millis + CUT_OFF;
        let calls = Store::take_resumption_calls(&tx, millis, again, TOGETHER).await?;
        tx.commit().await?;
        let more = !calls.is_empty() || looked_at > 0;
        self.tell_all(calls).await;
        Ok(more)
    }
}

/// One school of which nobody knows by what it is judged does not keep the others waiting.
async fn put_off(
    tx: &Tx,
    kept: Kept,
    done: Result<(), Error>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let err = match done {
        Err(err @ Error::ChecklistNotApplicable(_)) => err,
        done => return done,
    };
    tracing::warn!(error = %err, "a resumption cannot be judged, trying again later");
    let (at, again) = (now.timestamp_millis(), (now + AGAIN).timestamp_millis());
    let later = |due: i64| if due <= at { again } else { due };
    let kept = Kept {
        acts_at: later(kept.acts_at),
        check_at: later(kept.check_at),
        ..kept
    };
    Ok(Store::save_resumptions(tx, &[kept]).await?)
}
