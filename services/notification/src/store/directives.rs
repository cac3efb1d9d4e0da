//! Directives. The text is written once: no statement here changes it.

use std::collections::HashMap;

use kit::bulk::placeholders;
use kit::db::{Tx, statement};
use kit::feed::announce;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::Store;
use super::directive_rows::{items, model};
use super::entity::directive::{self, Column};
use crate::domain::content::Item;
use crate::domain::directive::{Directive, State};
use crate::grpc::announced::directive_change;

impl Store {
    /// Stores a draft.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_directive(tx: &Tx, directive: Directive) -> Result<(), DbErr> {
        let row = model(directive).into_active_model();
        directive::Entity::insert(row)
            .exec_without_returning(tx)
            .await?;
        Ok(())
    }

    /// Stores the state of a directive, and announces it once it was issued; none when somebody else
    /// changed it meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_directive(tx: &Tx, directive: Directive) -> Result<Option<Directive>, DbErr> {
        let (is_told, version) = (directive.issued.is_some(), directive.version + 1);
        let update = statement(
            tx,
            "UPDATE directives SET state = $1, approver = $2, issue_time = $3, \
             superseded_by = $4, revoke_reason = $5, meeting = $6, version = version + 1, \
             announced = $7 WHERE id = $8 AND version = $9",
            [
                (directive.state as i16).into(),
                directive.approver.clone().into(),
                directive.issued.into(),
                directive.superseded_by.clone().into(),
                directive.revoke_reason.clone().into(),
                directive.meeting.clone().into(),
                (if is_told { version } else { 0 }).into(),
                directive.id.into(),
                directive.version.into(),
            ],
        );
        let saved = tx.execute_raw(update).await?.rows_affected() == 1;
        if !saved {
            return Ok(None);
        }
        let directive = Directive {
            version,
            ..directive
        };
        if is_told {
            let tally = Self::tally(tx, directive.id).await?;
            announce(tx, vec![directive_change(&directive, tally.recipients)]).await?;
        }
        Ok(Some(directive))
    }

    /// One directive of an organisation.
    ///
    /// # Errors
    /// When the database fails, or the text is not the one that was approved.
    pub async fn directive(
        &self,
        db: &impl ConnectionTrait,
        organization: &str,
        id: Uuid,
    ) -> Result<Option<Directive>, DbErr> {
        let row = directive::Entity::find_by_id(id)
            .filter(Column::Organization.eq(organization))
            .one(db)
            .await?;
        row.map(Directive::try_from).transpose()
    }

    /// One directive, which nobody else reads or changes in a transaction until the end of this one.
    ///
    /// # Errors
    /// When the database fails, or the text is not the one that was approved.
    pub async fn directive_to_change(
        tx: &Tx,
        organization: &str,
        id: Uuid,
    ) -> Result<Option<Directive>, DbErr> {
        Self::locked_directive(tx, organization, id, LockType::Update).await
    }

    /// One directive, which nobody changes until the end of this transaction.
    ///
    /// # Errors
    /// When the database fails, or the text is not the one that was approved.
    pub async fn directive_to_use(
        tx: &Tx,
        organization: &str,
        id: Uuid,
    ) -> Result<Option<Directive>, DbErr> {
        Self::locked_directive(tx, organization, id, LockType::Share).await
    }

    async fn locked_directive(
        tx: &Tx,
        organization: &str,
        id: Uuid,
        lock: LockType,
    ) -> Result<Option<Directive>, DbErr> {
        let row = directive::Entity::find_by_id(id)
            .filter(Column::Organization.eq(organization))
            .lock(lock)
            .one(tx)
            .await?;
        row.map(Directive::try_from).transpose()
    }

    /// The directives of an organisation written before `before`, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn directives(
        &self,
        organization: &str,
        state: Option<State>,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Directive>, DbErr> {
        let mut select = directive::Entity::find().filter(Column::Organization.eq(organization));
        if let Some(state) = state {
            select = select.filter(Column::State.eq(state as i16));
        }
        if let Some(before) = before {
            select = select.filter(Column::Id.lt(before));
        }
        let rows = select
            .order_by_desc(Column::Id)
            .limit(limit)
            .all(self.db.read())
            .await?;
        rows.into_iter().map(Directive::try_from).collect()
    }

    /// The demands of each directive; one without any is left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn items(
        db: &impl ConnectionTrait,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, Vec<Item>>, DbErr> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let marks = placeholders(1, ids.len());
        let sql =
            format!("SELECT id, items FROM directives WHERE items <> '[]' AND id IN ({marks})");
        let select = statement(db, &sql, ids.iter().map(|id| (*id).into()));
        let rows = db.query_all_raw(select).await?;
        rows.iter()
            .map(|row| {
                let body: String = row.try_get_by_index(1)?;
                Ok((row.try_get_by_index(0)?, items(&body)?))
            })
            .collect()
    }
}
