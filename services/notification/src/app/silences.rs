//! Silences: asked for with a reason, listed, ended early.

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::request::{Once, once};
use kit::rows::Lock;
use prost::Message;
use uuid::Uuid;

use super::Organization;
use super::alerts::Alerts;
use crate::domain::fact::Kind;
use crate::domain::silence::Silence;
use crate::error::Error;
use crate::store::Store;

/// What somebody asks for.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) kinds: Vec<Kind>,
    pub(crate) reason: String,
    pub(crate) expires: DateTime<Utc>,
}

impl Alerts {
    /// The instant by which requests are judged.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.base.clock.now()
    }

    /// An organisation whose alerts the caller may silence.
    pub(crate) async fn silenceable(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<Organization, Error> {
        self.base
            .organization(caller, Permission::AlertSilence, id)
            .await
    }

    /// Keeps alerts at and below an organisation from being told. The caller was authorised before.
    pub(crate) async fn silence<R: Message + Default>(
        &self,
        caller: &Caller,
        organization: Organization,
        wish: Wish,
        (request_id, request): (&str, &impl Message),
        render: impl FnOnce(Silence) -> R,
    ) -> Result<R, Error> {
        let now = self.now();
        let tx = self.base.store.database().begin().await?;
        let ticket = match once(&tx, caller, "CreateSilence", request_id, request, now).await? {
            Once::Repeat(answer) => return Ok(answer),
            Once::First(ticket) => ticket,
        };
        let Wish {
            kinds,
            reason,
            expires,
        } = wish;
        let silence = Silence {
            organization: organization.id,
            id: Uuid::new_v4(),
            org_path: organization.path.to_string(),
            kinds,
            reason,
            author: caller.subject.clone(),
            created: now,
            expires,
            ended: None,
        };
        // An alert that is being told reads the silences under the same lock.
        Store::lock_alerts(&tx).await?;
        Store::save_silence(&tx, silence.clone()).await?;
        let answer = render(silence);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// The silences at and below an organisation that are not over, newest first.
    pub(crate) async fn silences(
        &self,
        organization: &Organization,
        before: Option<(i64, Uuid)>,
        limit: u64,
    ) -> Result<Vec<Silence>, Error> {
        let (store, place) = (&self.base.store, organization.path.as_str());
        Ok(store.silences(place, self.now(), before, limit).await?)
    }

    /// Ends a silence before its time; one that is over stays as it is. The caller was authorised for
    /// the organisation before.
    pub(crate) async fn end_silence<R: Message + Default>(
        &self,
        caller: &Caller,
        organization: &Organization,
        id: Uuid,
        (request_id, request): (&str, &impl Message),
        render: impl FnOnce(Silence) -> R,
    ) -> Result<R, Error> {
        let now = self.now();
        let tx = self.base.store.database().begin().await?;
        let ticket = match once(&tx, caller, "EndSilence", request_id, request, now).await? {
            Once::Repeat(answer) => return Ok(answer),
            Once::First(ticket) => ticket,
        };
        Store::lock_alerts(&tx).await?;
        let found = Store::silence(&tx, id, Lock::Yes).await?;
        let found = found.filter(|silence| silence.organization == organization.id);
        let name = || {
            format!(
                "organizations/{}/silences/{}",
                organization.id,
                id.hyphenated()
            )
        };
        let silence = found.ok_or_else(|| Error::NotFound(name()))?;
        let ended = silence.clone().end(&caller.subject, now);
        if ended != silence {
            Store::save_silence(&tx, ended.clone()).await?;
        }
        let answer = render(ended);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }
}
