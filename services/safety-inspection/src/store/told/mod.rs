//! What the feed tells of each entity and what it adds to the figures, kept beside each other: only
//! what changed is announced and counted, in the transaction of the change.

mod retellings;

use std::collections::HashMap;

use kit::db::{Tx, statement};
use kit::feed::announce;
use kit::rows::{Lock, Row, row};
use prost::Message;
pub(crate) use retellings::{RetellingRow, new_id};
use sea_orm::{ConnectionTrait, DbErr};

use super::Store;
use super::figures::FigureChangeRow;
use super::records::{text, value};
use crate::domain::figures::Counts;
use crate::grpc::announced::{Telling, change, event};

row! {
    /// What was told of an entity last.
    ToldRow in "told" by ["entity"] {
        /// The resource name.
        entity: String,
        /// The collection, or what there is of an organisation once.
        collection: String,
        /// The id of the organisation; empty for a warning.
        organization: String,
        /// Its place in the tree.
        org_path: String,
        /// Grows with each change.
        version: i64,
        /// The encoded event without its version; empty once the entity has left the feed.
        state: Vec<u8>,
        /// What it adds to the figures.
        counts: String,
        /// When time alone changes it, in milliseconds since 1970.
        wake_at: i64,
    }
}

/// The time of what never comes.
pub(crate) const NEVER: i64 = i64::MAX;

/// What there is of an organisation once, and follows from much.
const STANDINGS: &str = "'drillStanding', 'dutyStanding', 'inspectionStanding', 'weatherState', \
     'protectionStanding', 'supplyStanding', 'shelterStanding', 'gateRecheckStanding', \
     'gateRedCodeStanding', 'gateConflictStanding'";

impl Store {
    /// Tells how entities are now, each of them once: announces what changed, and changes the figures
    /// by what an entity adds to them. The transaction holds the entities.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn tell(tx: &Tx, tellings: Vec<Telling>) -> Result<(), DbErr> {
        let keys = tellings.iter().map(|one| one.entity.as_str().into());
        let before = ToldRow::find(tx, "entity", keys.collect(), Lock::Yes).await?;
        let mut before: HashMap<String, ToldRow> = before
            .into_iter()
            .map(|row| (row.entity.clone(), row))
            .collect();
        let (mut rows, mut changes, mut counted) = (Vec::new(), Vec::new(), Vec::new());
        for mut telling in tellings {
            let before = before.remove(&telling.entity);
            if let (Some(before), None, "") = (&before, &telling.state, &*telling.org_path) {
                // The register has forgotten where it was; whoever heard of it there hears of its end.
                telling.org_path.clone_from(&before.org_path);
            }
            let row = row_of(&telling, before.as_ref())?;
            if before
                .as_ref()
                .map_or(row.is_nothing(), |before| *before == row)
            {
                continue;
            }
            let counts: Counts = match &before {
                Some(before) => value(&before.counts)?,
                None => Counts::default(),
            };
            let more = telling.counts.since(&counts);
            if !more.is_empty() {
                counted.push(FigureChangeRow::new(&telling.organization, &more)?);
            }
            if before.is_none_or(|before| before.version < row.version) {
                changes.push(change(telling, row.version));
            }
            rows.push(row);
        }
        ToldRow::save(tx, &rows).await?;
        FigureChangeRow::add(tx, &counted).await?;
        announce(tx, changes).await
    }

    /// Entities that time alone changes at `now`, the longest waiting first.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn told_to_wake(
        db: &impl ConnectionTrait,
        now: i64,
        limit: u32,
    ) -> Result<Vec<String>, DbErr> {
        let sql = format!(
            "SELECT entity FROM told WHERE wake_at <= $1 AND wake_at < {NEVER} \
             ORDER BY wake_at LIMIT {limit}"
        );
        let rows = db.query_all_raw(statement(db, &sql, [now.into()])).await?;
        rows.iter().map(|row| row.try_get_by_index(0)).collect()
    }

    /// Lets an entity wait until `at`.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn delay_told(tx: &Tx, entity: &str, at: i64) -> Result<(), DbErr> {
        let sql = "UPDATE told SET wake_at = $1 WHERE entity = $2 AND wake_at < $1";
        tx.execute_raw(statement(tx, sql, [at.into(), entity.into()]))
            .await?;
        Ok(())
    }

    /// Forgets what was told of an entity that left the feed long ago and never comes back.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn forget_told(tx: &Tx, entity: &str) -> Result<(), DbErr> {
        let sql = "DELETE FROM told WHERE entity = $1";
        tx.execute_raw(statement(tx, sql, [entity.into()])).await?;
        Ok(())
    }
}

impl ToldRow {
    /// Whether it says nothing: such a row is not kept.
    fn is_nothing(&self) -> bool {
        self.state.is_empty() && self.counts == "{}" && self.wake_at == NEVER
    }
}

fn row_of(telling: &Telling, before: Option<&ToldRow>) -> Result<ToldRow, DbErr> {
    let state = match &telling.state {
        Some(state) => event(telling, Some(state.clone()), 0).encode_to_vec(),
        None => Vec::new(),
    };
    let version = before.map_or(0, |before| before.version);
    let same = before.map_or(state.is_empty(), |before| {
        before.state == state && before.org_path == telling.org_path
    });
    Ok(ToldRow {
        entity: telling.entity.clone(),
        collection: telling.collection.to_owned(),
        organization: telling.organization.clone(),
        org_path: telling.org_path.clone(),
        version: if same { version } else { version + 1 },
        state,
        counts: text(&telling.counts)?,
        wake_at: telling.wake_at,
    })
}
