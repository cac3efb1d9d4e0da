//! Sees that the register has how pupils are taught: each step is durable before the register is
//! called, a call repeats until it is answered, and a repeat has one effect.

use futures_util::StreamExt;
use futures_util::stream;
use kit::db::Tx;
use kit::rows::Lock;
use kit::teaching::{CUT_OFF, backoff, request_id};
use proto::roster::SetTeachingModeRequest;
use proto::roster::set_teaching_mode_request::Ground;
use tonic::Status;

use super::Weather;
use crate::domain::organization::Kind;
use crate::domain::weather::suspension::{Cover, Teaching};
use crate::error::Error;
use crate::store::Store;
use crate::store::weather::NEVER;
use crate::store::weather::teaching::TeachingRow;

/// Calls under way at a time.
const AT_ONCE: usize = 8;

impl Weather {
    /// Notes that calls begin, at most `most`, and by when each is made again if it is cut off;
    /// returns what is to be told.
    pub(super) async fn teaching_due(
        &self,
        tx: &Tx,
        now: i64,
        most: u64,
    ) -> Result<Vec<TeachingRow>, Error> {
        let due = Store::weather_teaching_due(tx, now, most).await?;
        let ids: Vec<String> = due.into_iter().map(|row| row.organization).collect();
        let mut calls = Vec::with_capacity(ids.len());
        for mut row in Store::weather_teaching(tx, &ids, Lock::Yes).await? {
            if row.due_at > now {
                continue;
            }
            row.due_at = now + CUT_OFF;
            let in_person = row.wanted == Teaching::InPerson as i16;
            let mut nothing = in_person && !row.begun;
            if !in_person && !row.begun {
                row.begun = is_taught(tx, &row).await?;
                nothing = !row.begun;
            }
            if nothing {
                row.told = row.wanted;
                row.due_at = NEVER;
            }
            Store::save_weather_teaching(tx, &row).await?;
            if !nothing {
                calls.push(row);
            }
        }
        Ok(calls)
    }

    /// Tells the register, and keeps what came of it.
    pub(super) async fn tell_all(&self, calls: Vec<TeachingRow>) {
        stream::iter(calls)
            .for_each_concurrent(AT_ONCE, |call| async move {
                let told = self.tell(&call).await;
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

    async fn tell(&self, call: &TeachingRow) -> Result<(), Status> {
        self.teaching.set(request(call)).await
    }

    /// The register has it, or does not and is told later again. Nothing is kept of a call that
    /// another decision has overtaken.
    async fn told(&self, call: &TeachingRow, told: bool) -> Result<(), Error> {
        let now = self.base.clock.now().timestamp_millis();
        let tx = self.base.store.database().begin().await?;
        let id = std::slice::from_ref(&call.organization);
        let rows = Store::weather_teaching(&tx, id, Lock::Yes).await?;
        let Some(mut row) = rows.into_iter().find(|row| row.round == call.round) else {
            return Ok(());
        };
        if told {
            row.told = row.wanted;
            row.attempts = 0;
            row.due_at = NEVER;
            if row.wanted == Teaching::InPerson as i16 {
                row.begun = false;
            }
        } else {
            row.due_at = now + backoff(row.attempts);
            row.attempts = row.attempts.saturating_add(1);
        }
        Store::save_weather_teaching(&tx, &row).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Whether the register has anybody to tell of: a school, or others with class groups.
async fn is_taught(tx: &Tx, row: &TeachingRow) -> Result<bool, Error> {
    let cover = Kind::from_number(row.kind).and_then(Cover::of_teaching);
    if cover == Some(Cover::Schools) {
        return Ok(true);
    }
    let groups = Store::class_groups(tx, &row.organization).await?;
    Ok(!groups.is_empty())
}

/// The call: the same for each attempt of a round, so that the register sees one request. It says
/// nothing of what keeps class groups away on other grounds.
fn request(call: &TeachingRow) -> SetTeachingModeRequest {
    let what = if call.wanted == Teaching::InPerson as i16 {
        "天气复课"
    } else {
        "天气停课"
    };
    let name = format!("organizations/{}", call.organization);
    SetTeachingModeRequest {
        teaching_mode: call.wanted.into(),
        grades: Vec::new(),
        reason: format!("{what} {}", call.cause),
        request_id: request_id(&format!("weather/{name}/{}", call.round)),
        ground: Ground::Weather.into(),
        name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_round_has_one_request() {
        let call = |round| TeachingRow {
            organization: "2135010001".to_owned(),
            wanted: Teaching::Suspended as i16,
            round,
            ..TeachingRow::default()
        };
        let whole = request(&call(1));
        assert_eq!(whole, request(&call(1)));
        assert_eq!(whole.name, "organizations/2135010001");
        assert_eq!((whole.teaching_mode, whole.ground()), (3, Ground::Weather));
        assert_ne!(whole.request_id, request(&call(2)).request_id);
    }
}
