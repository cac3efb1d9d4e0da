//! Channels: how they are doing, paused and resumed.

use std::collections::HashMap;
use std::sync::Arc;

use kit::auth::{Caller, Permission};
use kit::status::Problem;
use sea_orm::DbErr;

use super::Base;
use crate::config::ChannelConfig;
use crate::domain::channel::{Kind, carries};
use crate::domain::delivery::INBOX;
use crate::error::Error;
use crate::store::Store;
use crate::store::channels::{Backlog, ChannelRow};

/// The use cases of channels.
#[derive(Clone, Debug)]
pub(crate) struct Channels {
    base: Base,
    settings: Arc<[ChannelConfig]>,
}

/// A channel and how it is doing.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) exercise: bool,
    pub(crate) budget_per_minute: u32,
    pub(crate) row: ChannelRow,
    pub(crate) backlog: Backlog,
}

impl Channels {
    /// The channels of the settings. Those that are new begin without a past.
    pub(crate) async fn start(base: Base, mut settings: Vec<ChannelConfig>) -> Result<Self, DbErr> {
        settings.sort_by(|one, other| one.id.cmp(&other.id));
        let ids = settings.iter().map(|channel| &*channel.id);
        base.store.enroll_channels(ids).await?;
        Ok(Self {
            base,
            settings: settings.into(),
        })
    }

    /// The settings of a channel.
    pub(crate) fn settings(&self, id: &str) -> Option<&ChannelConfig> {
        self.settings.iter().find(|channel| channel.id == id)
    }

    /// The ids of the channels by which rules tell people: those that have addresses of their own and
    /// carry no exercises.
    pub(crate) fn told(&self) -> Vec<String> {
        let told = self
            .all()
            .iter()
            .filter(|channel| channel.kind.is_addressed() && !channel.exercise);
        told.map(|channel| channel.id.clone()).collect()
    }

    /// The ids of the channels that take the documents of warnings: of real ones, or of exercises.
    pub(crate) fn documents(&self, exercise: bool) -> Vec<String> {
        let taking = self.all().iter().filter(|channel| {
            channel.kind.carries_documents() && carries(channel.kind, channel.exercise, exercise)
        });
        taking.map(|channel| channel.id.clone()).collect()
    }

    /// The settings of all channels, by id.
    pub(crate) fn all(&self) -> &[ChannelConfig] {
        &self.settings
    }

    /// Checks that a message may leave by each of some channels besides the inbox.
    ///
    /// # Errors
    /// When there is no such channel, it carries documents only, or the message is an exercise and the
    /// channel carries none, or the other way round.
    pub(crate) fn check(&self, ids: &[String], exercise: bool) -> Result<(), Error> {
        for (index, id) in ids.iter().enumerate() {
            let channel = self.settings(id).ok_or(Error::Channel(index))?;
            if channel.kind.carries_documents() {
                return Err(Error::DocumentsOnly(index));
            }
            if !carries(channel.kind, channel.exercise, exercise) {
                return Err(Error::Exercise(name(id)));
            }
        }
        Ok(())
    }

    /// Checks that the caller may see how channels are doing.
    pub(crate) fn authorize(&self, caller: &Caller) -> Result<(), Error> {
        caller.allowed(Permission::ChannelRead)?;
        Ok(())
    }

    /// The channels after `after`, by id. The caller was authorised before.
    pub(crate) async fn list(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Standing>, Error> {
        let mut ids: Vec<&str> = self.settings.iter().map(|channel| &*channel.id).collect();
        ids.push(INBOX);
        ids.sort_unstable();
        ids.retain(|id| after.is_none_or(|after| *id > after));
        ids.truncate(limit);
        self.standings(&ids).await
    }

    /// One channel.
    pub(crate) async fn channel(&self, caller: &Caller, id: &str) -> Result<Standing, Error> {
        caller.allowed(Permission::ChannelRead)?;
        self.standing(id).await
    }

    /// Stops sending by a channel, or sends by it again.
    pub(crate) async fn pause(
        &self,
        caller: &Caller,
        id: &str,
        paused: bool,
    ) -> Result<Standing, Error> {
        caller.allowed(Permission::ChannelManage)?;
        if id == INBOX {
            return Err(
                Problem::invalid("name", "收件箱不能暂停", "the inbox cannot be paused").into(),
            );
        }
        let tx = self.base.store.database().begin().await?;
        let row = match self.settings(id) {
            Some(_) => Store::channel_to_use(&tx, id).await?,
            None => None,
        };
        let row = row.ok_or_else(|| Error::NotFound(name(id)))?;
        Store::save_channel(&tx, ChannelRow { paused, ..row }).await?;
        kit::audit::act(&tx, caller);
        tx.commit().await?;
        self.standing(id).await
    }

    async fn standing(&self, id: &str) -> Result<Standing, Error> {
        let standing = self.standings(&[id]).await?.pop();
        standing.ok_or_else(|| Error::NotFound(name(id)))
    }

    async fn standings(&self, ids: &[&str]) -> Result<Vec<Standing>, Error> {
        let db = self.base.store.database().read();
        let rows = Store::channels(db, ids.iter().copied()).await?;
        let mut rows: HashMap<String, ChannelRow> =
            rows.into_iter().map(|row| (row.id.clone(), row)).collect();
        let mut standings = Vec::with_capacity(ids.len());
        for id in ids {
            let row = rows.remove(*id).unwrap_or_default();
            standings.extend(match self.settings(id) {
                Some(channel) => Some(Standing {
                    id: (*id).to_owned(),
                    kind: channel.kind,
                    exercise: channel.exercise,
                    budget_per_minute: channel.budget_per_minute,
                    row,
                    backlog: Store::backlog(db, id).await?,
                }),
                None if *id == INBOX => Some(Standing {
                    id: INBOX.to_owned(),
                    kind: Kind::Inbox,
                    exercise: true,
                    budget_per_minute: 0,
                    row,
                    // What lies in the inbox was sent the moment it was stored.
                    backlog: Backlog::default(),
                }),
                None => None,
            });
        }
        Ok(standings)
    }
}

/// The resource name of a channel.
pub(crate) fn name(id: &str) -> String {
    format!("channels/{id}")
}
