//! Warnings: taken from other systems, joined to their chains, read.

use cap::{Document, Fault};
use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use uuid::Uuid;

use super::channels::Channels;
use super::{Base, new_id};
use crate::domain::warning::Places;
use crate::error::Error;
use crate::store::Store;
use crate::store::warnings::{Wanted, Warning, WarningKey};

/// Areas of one document.
const AREAS: usize = 1000;
/// Documents of one chain.
const CHAIN: usize = 1000;

/// The use cases of warnings.
#[derive(Clone, Debug)]
pub(crate) struct Warnings {
    pub(super) base: Base,
    /// Who is the sender of the documents that this service writes.
    pub(super) sender: String,
    /// The ways out of those documents.
    pub(super) channels: Channels,
}

/// What it takes to show warnings: the organisations of the caller's part of the tree, and the time.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) places: Places,
    pub(crate) now: DateTime<Utc>,
}

impl Warnings {
    pub(crate) fn new(base: Base, sender: String, channels: Channels) -> Self {
        Self {
            base,
            sender,
            channels,
        }
    }

    /// How the caller, who may do `permission`, sees warnings.
    pub(crate) async fn view(
        &self,
        caller: &Caller,
        permission: Permission,
    ) -> Result<View, Error> {
        let scope = caller.allowed(permission)?;
        let db = self.base.store.database().read();
        Ok(View {
            places: Store::places(db, scope.as_str()).await?,
            now: self.base.clock.now(),
        })
    }

    /// Reads a document and joins it to its chain. One that came before changes nothing. The caller
    /// was authorised before.
    pub(crate) async fn ingest(&self, caller: &Caller, document: &[u8]) -> Result<Warning, Error> {
        let message = cap::read(document).map_err(Error::Document)?;
        if message
            .infos
            .iter()
            .map(|info| info.areas.len())
            .sum::<usize>()
            > AREAS
        {
            return Err(fault(
                "alert/info/area",
                "最多 1000 个区域",
                "at most 1000 areas",
            ));
        }
        let now = self.base.clock.now();
        let tx = self.base.store.database().begin().await?;
        kit::audit::act(&tx, caller);
        Store::lock_warnings(&tx, &message.sender).await?;
        let known = Document::from(&message);
        let id = match Store::warning_with(&tx, &known.reference).await? {
            Some(id) => id,
            None => {
                let (chains, mut chain) = Store::chains_with(&tx, &known).await?;
                chain.add(known);
                if chain.len() > CHAIN {
                    let (zh, en) = (
                        "预警链超过 1000 份文档",
                        "a chain of more than 1000 documents",
                    );
                    return Err(fault("alert/references", zh, en));
                }
                let (id, others) = match chains.split_first() {
                    Some((first, others)) => (*first, others),
                    None => (new_id(now), &[][..]),
                };
                Store::join_warning(&tx, (id, others), (&message, document), now).await?;
                id
            }
        };
        let warning = Store::warning(&tx, id).await?.ok_or(Error::Conflict)?;
        tx.commit().await?;
        Ok(warning)
    }

    /// One warning.
    pub(crate) async fn warning(&self, id: Uuid) -> Result<Warning, Error> {
        let found = Store::warning(self.base.store.database().read(), id).await?;
        found.ok_or_else(|| Error::NotFound(warning_name(id)))
    }

    /// A page of warnings, the latest first, and whether there are more.
    pub(crate) async fn list(
        &self,
        wanted: &Wanted,
        after: Option<WarningKey>,
        limit: u64,
        now: DateTime<Utc>,
    ) -> Result<(Vec<Warning>, bool), Error> {
        Ok(self.base.store.warnings(wanted, after, limit, now).await?)
    }
}

fn fault(path: &str, zh: &str, en: &str) -> Error {
    Error::Document(vec![Fault {
        path: path.to_owned(),
        zh: zh.to_owned(),
        en: en.to_owned(),
    }])
}

/// The resource name of a warning.
pub(crate) fn warning_name(id: Uuid) -> String {
    format!("warnings/{}", id.hyphenated())
}
