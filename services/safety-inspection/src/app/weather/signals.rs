//! Warnings of weather bureaus: taken, joined to their chains, read.

use cap::Document;
use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::rows::Lock;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{SignalView, Weather};
use crate::app::{new_id, place};
use crate::domain::weather::response::SignalState;
use crate::domain::weather::warning;
use crate::error::Error;
use crate::store::Store;
use crate::store::weather::NEVER;
use crate::store::weather::alarms::{AlarmRow, Alarms, SIGNAL};
use crate::store::weather::documents::KnownChain;

/// Documents of one chain.
const CHAIN: usize = 1000;

impl Weather {
    /// Reads a document, joins it to its chain, and moves whom it reaches. One that came before changes
    /// nothing.
    ///
    /// # Errors
    /// SCOPE_DENIED, the faults of the document, WEATHER_WARNING_REFUSED, or when the database fails.
    pub(crate) async fn ingest(
        &self,
        caller: &Caller,
        document: &[u8],
    ) -> Result<SignalView, Error> {
        let scope = caller.allowed(Permission::WarningWrite)?;
        let message = cap::read(document).map_err(Error::Document)?;
        warning::read(&message).map_err(Error::WarningRefused)?;
        let known = Document::from(&message);
        let now = self.base.clock.now();
        let tx = self.base.store.database().begin().await?;
        kit::audit::act(&tx, caller);
        let mut turn = self.turn(&tx, now, &caller.subject, String::new()).await?;
        if let Some(id) = Store::weather_signal_with(&tx, &known.reference).await? {
            let view = signal(&tx, id).await?;
            tx.commit().await?;
            return Ok(view);
        }
        let mut before = Store::weather_chain(&tx, &known).await?;
        before.chain.add(known.clone());
        if before.chain.len() > CHAIN {
            return Err(Error::Document(vec![cap::Fault {
                path: "alert/references".to_owned(),
                zh: "预警链超过 1000 份文档".to_owned(),
                en: "a chain of more than 1000 documents".to_owned(),
            }]));
        }
        let (id, others) = match before.alarms.split_first() {
            Some((first, others)) => (*first, others),
            None => (new_id(now), &[][..]),
        };
        let row = Store::weather_alarm(&tx, (SIGNAL, id), Lock::Yes).await?;
        let from = row.as_ref().map_or(0, |row| row.state);
        let row = row.unwrap_or_else(|| new_signal(id, scope.as_str(), now));
        caller.require(Permission::WarningWrite, &place(&row.place))?;
        Store::add_weather_document(&tx, (id, others), (&known, document)).await?;
        for other in others {
            Store::join_weather_alarm(&tx, *other, id).await?;
        }
        let chain = Store::weather_chain_of(&tx, vec![id]).await?;
        let row = said(row, &chain, now)?;
        turn.cause = row.name();
        Store::save_weather_alarm(&tx, row, from, &turn).await?;
        self.settle(&tx, &turn, now).await?;
        let view = signal(&tx, id).await?;
        tx.commit().await?;
        Ok(view)
    }

    /// One warning. The caller was authorised before.
    ///
    /// # Errors
    /// NOT_FOUND, or when the database fails.
    pub(crate) async fn signal(&self, id: Uuid) -> Result<SignalView, Error> {
        signal(self.base.store.database().read(), id).await
    }

    /// Warnings, the latest first.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn signals(
        &self,
        state: Option<SignalState>,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<SignalView>, Error> {
        let wanted = Alarms {
            origin: SIGNAL,
            place: String::new(),
            state: state.map(|state| state as i16),
        };
        let db = self.base.store.database().read();
        let rows = Store::weather_alarms(db, &wanted, before, limit).await?;
        let views = rows.into_iter().map(|row| SignalView {
            row,
            missing: Vec::new(),
            history: Vec::new(),
        });
        Ok(views.collect())
    }
}

async fn signal(db: &impl ConnectionTrait, id: Uuid) -> Result<SignalView, Error> {
    let found = Store::weather_alarm(db, (SIGNAL, id), Lock::No).await?;
    let row =
        found.ok_or_else(|| Error::NotFound(format!("weatherSignals/{}", id.hyphenated())))?;
    let chain = Store::weather_chain_of(db, vec![row.id]).await?.chain;
    let entries = chain.entries().into_iter();
    let missing = entries.filter(|(_, document)| document.is_none());
    Ok(SignalView {
        missing: missing
            .map(|(reference, _)| reference.identifier.clone())
            .collect(),
        history: Store::weather_history(db, &row.name()).await?,
        row,
    })
}

fn new_signal(id: Uuid, place: &str, now: DateTime<Utc>) -> AlarmRow {
    AlarmRow {
        id,
        origin: SIGNAL,
        joined: id,
        place: place.to_owned(),
        began_at: now.timestamp_millis(),
        expires_at: NEVER,
        ended_at: NEVER,
        ..AlarmRow::default()
    }
}

/// A warning as its whole chain says.
fn said(mut row: AlarmRow, chain: &KnownChain, now: DateTime<Utc>) -> Result<AlarmRow, Error> {
    let standing = chain.chain.standing();
    row.state = SignalState::from(standing.at(now)) as i16;
    row.expires_at = standing.record().1;
    if let Some(latest) = chain.chain.latest() {
        row.issuer.clone_from(&latest.reference.sender);
    }
    let said = chain.said()?;
    let notice = said.as_ref().map(warning::read).transpose();
    if let Some(notice) = notice.map_err(Error::WarningRefused)?.flatten() {
        row.kind = notice.kind as i16;
        row.level = notice.level as i16;
        let levels = notice.areas.values().map(|level| {
            let number = level.map_or(0, |level| level as i32);
            number.to_string()
        });
        row.levels = levels.collect::<Vec<_>>().join(",");
        let divisions: Vec<String> = notice.areas.into_keys().collect();
        row.divisions = divisions.join(",");
        row.basis = notice.headline;
        row.event_code = notice.event_code;
    }
    Ok(row)
}

impl Weather {
    /// Warnings that are over by their own words end, a few at a time; whether there may be more.
    pub(super) async fn expire(&self, tx: &Tx, now: DateTime<Utc>, most: u64) -> Result<(), Error> {
        let millis = now.timestamp_millis();
        let over = Store::weather_alarms_over(tx, millis, most).await?;
        if over.is_empty() {
            return Ok(());
        }
        let mut turn = self.turn(tx, now, super::SERVICE, String::new()).await?;
        for mut row in over {
            let from = row.state;
            row.state = SignalState::Expired as i16;
            turn.cause = row.name();
            Store::save_weather_alarm(tx, row, from, &turn).await?;
        }
        self.settle(tx, &turn, now).await
    }
}
