//! What the feed must still tell: rows of a version without a feed, what moved with its organisation,
//! recipients of directives that have ended, warnings that are long over. Each call does a bounded part,
//! exactly once however many replicas call.

use chrono::{DateTime, Utc};
use kit::db::{Backend, Tx, statement};
use kit::feed::announce;
use kit::rows::{Row, execute_in};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::Store;
use super::alerts::select_alerts;
use super::counts::Tally;
use super::entity::{directive, directive_recipient};
use super::meetings::MeetingRow;
use crate::domain::directive::{Directive, State};
use crate::domain::meeting::Meeting;
use crate::domain::recipient::Recipient;
use crate::grpc::announced::{alert_change, directive_change, meeting_change, recipient_change};

/// How many entities of a kind one transaction announces.
const PART: u64 = 1000;
/// The same for directives: the recipients of each are counted.
const DIRECTIVES: u64 = 20;

const ALERTS: &str = "announced <> revision AND (state <> 4 OR announced > 0)";
const DIRECTIVE: &str = "announced <> version AND (state = 3 OR announced > 0)";
const RECIPIENTS: &str = "announced <> version AND (state > 1 OR announced > 0)";
const MEETINGS: &str = "announced <> version AND (state <= 2 OR announced > 0)";

/// Rows that another replica announces at this moment are passed over.
pub(super) fn unless_held(tx: &Tx) -> &'static str {
    match tx.backend() {
        Backend::Postgres => " FOR UPDATE SKIP LOCKED",
        Backend::Sqlite => "",
    }
}

/// Others wait with what they want to change.
fn held(tx: &Tx) -> &'static str {
    match tx.backend() {
        Backend::Postgres => " FOR UPDATE",
        Backend::Sqlite => "",
    }
}

impl Store {
    /// Announces some of what the feed must still tell; says whether there was anything.
    ///
    /// # Errors
    /// When the database fails; what was announced before stays.
    pub async fn announce_left(&self, now: DateTime<Utc>) -> Result<bool, DbErr> {
        let alerts = self.announce_left_alerts().await?;
        let directives = self.announce_left_directives().await?;
        let recipients = self.announce_left_recipients().await?;
        let meetings = self.announce_left_meetings().await?;
        let warnings = self.announce_left_warnings(now).await?;
        Ok(alerts || directives || recipients || meetings || warnings)
    }

    /// Whether any row of a table is left. `order` is that of the index that holds what is left and nothing
    /// else: without it PostgreSQL expects to find one soon, and reads the whole table where there is none.
    async fn is_any_left(&self, table: &str, wheres: &str, order: &str) -> Result<bool, DbErr> {
        let sql = format!("SELECT 1 FROM {table} WHERE {wheres} ORDER BY {order} LIMIT 1");
        let db = self.db.read();
        let any = db.query_one_raw(statement(db, &sql, [])).await?;
        Ok(any.is_some())
    }

    async fn announce_left_alerts(&self) -> Result<bool, DbErr> {
        if !self.is_any_left("alerts", ALERTS, "sequence").await? {
            return Ok(false);
        }
        let tx = self.db.begin().await?;
        Self::lock_alerts(&tx).await?;
        let alerts = select_alerts(&tx, ALERTS, Vec::new(), "sequence", PART).await?;
        announce(&tx, alerts.iter().map(alert_change).collect()).await?;
        let ids = alerts.iter().map(|alert| alert.id.into()).collect();
        let sql = "UPDATE alerts SET announced = revision WHERE id";
        execute_in(&tx, sql, &[], ids).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn announce_left_directives(&self) -> Result<bool, DbErr> {
        if !self.is_any_left("directives", DIRECTIVE, "id").await? {
            return Ok(false);
        }
        let tx = self.db.begin().await?;
        let held = unless_held(&tx);
        let sql = format!(
            "SELECT id FROM directives WHERE {DIRECTIVE} ORDER BY id LIMIT {DIRECTIVES}{held}"
        );
        let rows = tx.query_all_raw(statement(&tx, &sql, [])).await?;
        let ids = rows.iter().map(|row| row.try_get_by_index(0));
        let ids: Vec<Uuid> = ids.collect::<Result<_, _>>()?;
        for id in &ids {
            Self::recount(&tx, *id).await?;
        }
        let rows = directive::Entity::find()
            .filter(directive::Column::Id.is_in(ids.clone()))
            .all(&tx)
            .await?;
        let tallies = Self::tallies(&tx, &ids).await?;
        let tally = |id: &Uuid| tallies.get(id).copied().unwrap_or_default();
        let changes = rows.into_iter().filter_map(|row| {
            let (id, read) = (row.id, Directive::try_from(row));
            let directive = readable("directives", id, read)?;
            let Tally { recipients, .. } = tally(&id);
            Some(directive_change(&directive, recipients))
        });
        announce(&tx, changes.collect()).await?;
        mark(&tx, "directives", &ids).await?;
        tx.commit().await?;
        Ok(!ids.is_empty())
    }

    /// The recipients of one directive, held to change as everybody who moves one of them uses it. What a
    /// version without counts wrote is counted.
    async fn announce_left_recipients(&self) -> Result<bool, DbErr> {
        let sql = format!(
            "SELECT directive FROM directive_recipients WHERE {RECIPIENTS} \
             ORDER BY directive, organization LIMIT 1"
        );
        let db = self.db.read();
        let Some(row) = db.query_one_raw(statement(db, &sql, [])).await? else {
            return Ok(false);
        };
        let id: Uuid = row.try_get_by_index(0)?;
        let tx = self.db.begin().await?;
        let held = held(&tx);
        let sql = format!("SELECT state FROM directives WHERE id = $1{held}");
        let Some(row) = tx.query_one_raw(statement(&tx, &sql, [id.into()])).await? else {
            return Ok(false);
        };
        let state: i16 = row.try_get_by_index(0)?;
        let in_force = state == State::Issued as i16;
        let sql = format!(
            "SELECT organization FROM directive_recipients WHERE directive = $1 AND {RECIPIENTS} \
             ORDER BY organization LIMIT {PART}{held}"
        );
        let rows = tx.query_all_raw(statement(&tx, &sql, [id.into()])).await?;
        let found = rows.iter().map(|row| row.try_get_by_index(0));
        let found: Vec<String> = found.collect::<Result<_, _>>()?;
        let rows = directive_recipient::Entity::find()
            .filter(directive_recipient::Column::Directive.eq(id))
            .filter(directive_recipient::Column::Organization.is_in(found.clone()))
            .order_by_asc(directive_recipient::Column::Organization)
            .all(&tx)
            .await?;
        let mut changes = Vec::with_capacity(rows.len());
        for row in rows {
            let orderer = row.orderer.clone();
            let recipient = readable("directive_recipients", id, Recipient::try_from(row));
            let change = |recipient| recipient_change(recipient, &orderer, in_force);
            changes.extend(recipient.as_ref().map(change));
        }
        announce(&tx, changes).await?;
        let sql = "UPDATE directive_recipients SET announced = version \
                   WHERE directive = $1 AND organization";
        let last = found.len() < usize::try_from(PART).unwrap_or(usize::MAX);
        let found = found.into_iter().map(Into::into).collect();
        execute_in(&tx, sql, &[id.into()], found).await?;
        if in_force && last {
            Self::recount(&tx, id).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn announce_left_meetings(&self) -> Result<bool, DbErr> {
        if !self.is_any_left("meetings", MEETINGS, "id").await? {
            return Ok(false);
        }
        let tx = self.db.begin().await?;
        let sql = format!(
            "SELECT {} FROM meetings WHERE {MEETINGS} ORDER BY id LIMIT {PART}{}",
            MeetingRow::COLUMNS.join(", "),
            unless_held(&tx),
        );
        let rows = tx.query_all_raw(statement(&tx, &sql, [])).await?;
        let (mut ids, mut changes) = (Vec::new(), Vec::new());
        for row in &rows {
            let row = MeetingRow::read(row)?;
            ids.push(row.id);
            let read = readable("meetings", row.id, Meeting::try_from(row));
            changes.extend(read.as_ref().map(meeting_change));
        }
        announce(&tx, changes).await?;
        mark(&tx, "meetings", &ids).await?;
        tx.commit().await?;
        Ok(!ids.is_empty())
    }
}

/// A row, unless it cannot be read, which then stands in the log: one row must not hold up the others.
pub(super) fn readable<T>(table: &str, id: Uuid, read: Result<T, DbErr>) -> Option<T> {
    match read {
        Ok(read) => Some(read),
        Err(err) => {
            tracing::error!(error = %err, table, %id, "a row cannot be read and is not announced");
            None
        }
    }
}

async fn mark(tx: &Tx, table: &str, ids: &[Uuid]) -> Result<(), DbErr> {
    let sql = format!("UPDATE {table} SET announced = version WHERE id");
    let ids = ids.iter().map(|id| (*id).into()).collect();
    execute_in(tx, &sql, &[], ids).await
}
