//! Sees that the register has how pupils are taught: each step is durable before the register is
//! called, a call repeats until it is answered, and a repeat has one effect.

use futures_util::StreamExt;
use futures_util::stream;
use kit::db::Tx;
use kit::rows::Lock;
use kit::teaching::{CUT_OFF, backoff, request_id};
use proto::roster::SetTeachingModeRequest;
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
                match targets(tx, &row).await? {
                    Some(targets) => {
                        row.targets = targets;
                        row.begun = true;
                    }
                    None => nothing = true,
                }
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
        for request in requests(call) {
            self.teaching.set(request).await?;
        }
        Ok(())
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
                row.targets.clear();
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

/// Which class groups are told: none by name when all of them come to school, else those who do, so
/// that what others decided of the rest stands. None when there is nobody to tell of.
async fn targets(tx: &Tx, row: &TeachingRow) -> Result<Option<String>, Error> {
    let groups = Store::class_groups(tx, &row.organization).await?;
    if groups.is_empty() {
        let kind = Kind::from_number(row.kind);
        let school = kind.and_then(Cover::of_teaching) == Some(Cover::Schools);
        return Ok(school.then(String::new));
    }
    if groups.iter().all(|group| group.in_person) {
        return Ok(Some(String::new()));
    }
    let present = groups.into_iter().filter(|group| group.in_person);
    let names: Vec<String> = present.map(|group| group.name).collect();
    Ok((!names.is_empty()).then(|| names.join("\n")))
}

/// The calls: the same for each attempt of a round, so that the register sees one request each.
fn requests(call: &TeachingRow) -> Vec<SetTeachingModeRequest> {
    let what = if call.wanted == Teaching::InPerson as i16 {
        "天气复课"
    } else {
        "天气停课"
    };
    let whole = format!("organizations/{}", call.organization);
    let names: Vec<&str> = if call.targets.is_empty() {
        vec![&whole]
    } else {
        call.targets.lines().collect()
    };
    let requests = names.into_iter().map(|name| SetTeachingModeRequest {
        name: name.to_owned(),
        teaching_mode: call.wanted.into(),
        grades: Vec::new(),
        reason: format!("{what} {}", call.cause),
        request_id: request_id(&format!("weather/{name}/{}", call.round)),
    });
    requests.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_round_has_one_request_for_each_target() {
        let call = |round, targets: &str| TeachingRow {
            organization: "2135010001".to_owned(),
            wanted: Teaching::Suspended as i16,
            round,
            targets: targets.to_owned(),
            ..TeachingRow::default()
        };
        let whole = requests(&call(1, ""));
        assert_eq!(whole, requests(&call(1, "")));
        assert_eq!(whole[0].name, "organizations/2135010001");
        assert_eq!(whole[0].teaching_mode, 3);
        assert_ne!(whole[0].request_id, requests(&call(2, ""))[0].request_id);
        let two = requests(&call(1, "a/c1\na/c2"));
        let names: Vec<&str> = two.iter().map(|one| &*one.name).collect();
        assert_eq!(names, ["a/c1", "a/c2"]);
        assert_ne!(two[0].request_id, two[1].request_id);
    }
}
