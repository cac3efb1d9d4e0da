//! Alerts. Every change gets a revision in commit order, which watchers read on from.

use chrono::{DateTime, Utc};
use kit::db::{Backend, Tx, statement};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::alert_rows::model;
use super::entity::alert::{self, Column};
use super::{Store, below_end, unreadable};
use crate::domain::alert::{Alert, State};
use crate::domain::fact::Kind;

impl Store {
    /// The next revision. Whoever takes it holds all other writers of alerts back until the end
    /// of the transaction.
    async fn next_alert_revision(tx: &Tx) -> Result<i64, DbErr> {
        let update = statement(
            tx,
            "UPDATE alerts_revision SET value = value + 1 WHERE id = 1 RETURNING value",
            [],
        );
        let row = tx.query_one_raw(update).await?;
        row.ok_or_else(|| unreadable("revision"))?
            .try_get_by_index(0)
    }

    /// Holds all other writers of alerts back until the end of the transaction, so that what is
    /// read after this is what is changed.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn lock_alerts(tx: &Tx) -> Result<(), DbErr> {
        // A writing transaction on SQLite is alone from its first moment.
        if tx.backend() == Backend::Postgres {
            let sql = "SELECT value FROM alerts_revision WHERE id = 1 FOR UPDATE";
            tx.query_one_raw(statement(tx, sql, [])).await?;
        }
        Ok(())
    }

    /// The revision of the latest change.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alert_revision(&self) -> Result<i64, DbErr> {
        let db = self.db.read();
        let select = statement(db, "SELECT value FROM alerts_revision WHERE id = 1", []);
        let row = db.query_one_raw(select).await?;
        row.ok_or_else(|| unreadable("revision"))?
            .try_get_by_index(0)
    }

    /// Stores a new alert.
    ///
    /// # Errors
    /// When the database fails or the fact raised this one before.
    pub async fn insert_alert(tx: &Tx, alert: Alert) -> Result<(), DbErr> {
        let revision = Self::next_alert_revision(tx).await?;
        let row = model(Alert {
            sequence: revision,
            revision,
            ..alert
        });
        alert::Entity::insert(row.into_active_model())
            .exec_without_returning(tx)
            .await?;
        Ok(())
    }

    /// Stores a changed alert that was read under [`Store::lock_alerts`].
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn save_locked(tx: &Tx, alert: Alert) -> Result<(), DbErr> {
        let saved = Self::save_alert(tx, alert).await?;
        saved.map(|_| ()).ok_or(DbErr::RecordNotUpdated)
    }

    /// Stores a changed alert; none when somebody else changed it meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_alert(tx: &Tx, alert: Alert) -> Result<Option<Alert>, DbErr> {
        let before = alert.revision;
        let revision = Self::next_alert_revision(tx).await?;
        let alert = Alert { revision, ..alert };
        let row = model(alert.clone()).into_active_model().reset_all();
        let saved = alert::Entity::update_many()
            .set(row)
            .filter(Column::Id.eq(alert.id))
            .filter(Column::Revision.eq(before))
            .exec(tx)
            .await?;
        Ok((saved.rows_affected == 1).then_some(alert))
    }

    /// One alert.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alert(&self, db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Alert>, DbErr> {
        let row = alert::Entity::find_by_id(id).one(db).await?;
        row.map(Alert::try_from).transpose()
    }

    /// The latest alert of each kind that an entity raised.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn latest_alerts(tx: &Tx, basis: &str) -> Result<Vec<Alert>, DbErr> {
        let rows = alert::Entity::find()
            .filter(Column::Basis.eq(basis))
            .order_by_asc(Column::Kind)
            .order_by_desc(Column::Episode)
            .all(tx)
            .await?;
        let mut latest = Vec::with_capacity(rows.len());
        for row in rows {
            latest.push(Alert::try_from(row)?);
        }
        latest.dedup_by_key(|alert| alert.kind);
        Ok(latest)
    }

    /// The alerts at and below `place` raised before `before`, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alerts(
        &self,
        place: &str,
        (state, kind): (Option<State>, Option<Kind>),
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<Alert>, DbErr> {
        let mut select = alert::Entity::find().filter(at_or_below(place));
        if let Some(state) = state {
            select = select.filter(Column::State.eq(state as i16));
        }
        if let Some(kind) = kind {
            select = select.filter(Column::Kind.eq(kind as i16));
        }
        if let Some(before) = before {
            select = select.filter(Column::Sequence.lt(before));
        }
        let rows = select
            .order_by_desc(Column::Sequence)
            .limit(limit)
            .all(self.db.read())
            .await?;
        rows.into_iter().map(Alert::try_from).collect()
    }

    /// The alerts at and below `place` that changed after the revision `after` and no later than
    /// `until`, in the order of their changes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn changed_alerts(
        &self,
        place: &str,
        (after, until): (i64, i64),
        unresolved: bool,
        limit: u64,
    ) -> Result<Vec<Alert>, DbErr> {
        let mut select = alert::Entity::find()
            .filter(at_or_below(place))
            .filter(Column::Revision.gt(after))
            .filter(Column::Revision.lte(until));
        if unresolved {
            select = select.filter(Column::State.ne(State::Resolved as i16));
        }
        let rows = select
            .order_by_asc(Column::Revision)
            .limit(limit)
            .all(self.db.read())
            .await?;
        rows.into_iter().map(Alert::try_from).collect()
    }

    /// Marks the open alerts whose deadline has passed; says how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn escalate_alerts(&self, now: DateTime<Utc>) -> Result<u64, DbErr> {
        let due = Condition::all()
            .add(Column::State.eq(State::Open as i16))
            .add(Column::Escalated.eq(false))
            .add(Column::DueAt.lt(now.timestamp_millis()));
        let any = alert::Entity::find()
            .filter(due.clone())
            .one(self.db.read())
            .await?;
        if any.is_none() {
            return Ok(0);
        }
        let tx = self.db.begin().await?;
        Self::lock_alerts(&tx).await?;
        let mut marked = 0;
        for row in alert::Entity::find()
            .filter(due)
            .limit(1000)
            .all(&tx)
            .await?
        {
            let alert = Alert {
                escalated: true,
                ..Alert::try_from(row)?
            };
            Self::save_locked(&tx, alert).await?;
            marked += 1;
        }
        tx.commit().await?;
        Ok(marked)
    }

    /// Gives the alerts of an organisation that are not resolved to who answers there now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hand_alerts_over(tx: &Tx, organization: &str) -> Result<(), DbErr> {
        // An alert that is being raised reads who answers under the same lock.
        Self::lock_alerts(tx).await?;
        let owner = Self::owner(tx, organization).await?.unwrap_or_default();
        let orphans = alert::Entity::find()
            .filter(Column::Organization.eq(organization))
            .filter(Column::State.ne(State::Resolved as i16))
            .filter(Column::Owner.ne(owner.clone()))
            .all(tx)
            .await?;
        for row in orphans {
            let alert = Alert {
                owner: owner.clone(),
                ..Alert::try_from(row)?
            };
            Self::save_locked(tx, alert).await?;
        }
        Ok(())
    }
}

fn at_or_below(place: &str) -> Condition {
    if place.is_empty() {
        return Condition::all();
    }
    let below = Condition::all()
        .add(Column::OrgPath.gt(format!("{place}/")))
        .add(Column::OrgPath.lt(below_end(place)));
    Condition::any().add(Column::OrgPath.eq(place)).add(below)
}
