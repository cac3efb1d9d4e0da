//! Directives. The text is written once: no statement here changes it.

use std::collections::HashMap;

use kit::db::{Tx, statement};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::entity::directive::{self, Column, Model};
use super::{Store, unreadable};
use crate::domain::directive::{Directive, State, TextHash, Urgency};
use crate::domain::recipient;

/// How far the recipients of a directive are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All of them.
    pub recipients: i32,
    /// Those who signed.
    pub acknowledged: i32,
    /// Those whose report is accepted.
    pub accepted: i32,
}

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

    /// Stores the state of a directive; none when somebody else changed it meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_directive(tx: &Tx, directive: Directive) -> Result<Option<Directive>, DbErr> {
        let update = statement(
            tx,
            "UPDATE directives SET state = $1, approver = $2, issue_time = $3, \
             superseded_by = $4, version = version + 1 WHERE id = $5 AND version = $6",
            [
                (directive.state as i16).into(),
                directive.approver.clone().into(),
                directive.issued.into(),
                directive.superseded_by.clone().into(),
                directive.id.into(),
                directive.version.into(),
            ],
        );
        let saved = tx.execute_raw(update).await?.rows_affected() == 1;
        let version = directive.version + 1;
        Ok(saved.then_some(Directive {
            version,
            ..directive
        }))
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

    /// How far the recipients of a directive are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tally(&self, db: &impl ConnectionTrait, id: Uuid) -> Result<Tally, DbErr> {
        let tallies = self.tallies(db, &[id]).await?;
        Ok(tallies.get(&id).copied().unwrap_or_default())
    }

    /// How far the recipients of each directive are; one without recipients is left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tallies(
        &self,
        db: &impl ConnectionTrait,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, Tally>, DbErr> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let places: Vec<_> = (1..=ids.len()).map(|place| format!("${place}")).collect();
        let sql = format!(
            "SELECT directive, COUNT(*), COUNT(acknowledge_time), \
             COUNT(CASE WHEN state = {accepted} THEN 1 END) FROM directive_recipients \
             WHERE directive IN ({places}) GROUP BY directive",
            accepted = recipient::State::Accepted as i16,
            places = places.join(", "),
        );
        let select = statement(db, &sql, ids.iter().map(|id| (*id).into()));
        let rows = db.query_all_raw(select).await?;
        rows.iter()
            .map(|row| {
                let count = |index: usize| {
                    let count: i64 = row.try_get_by_index(index)?;
                    i32::try_from(count).map_err(|_| unreadable("tally"))
                };
                let tally = Tally {
                    recipients: count(1)?,
                    acknowledged: count(2)?,
                    accepted: count(3)?,
                };
                Ok((row.try_get_by_index(0)?, tally))
            })
            .collect()
    }
}

fn model(directive: Directive) -> Model {
    let Directive {
        organization,
        id,
        org_path,
        state,
        urgency,
        title,
        text,
        text_hash,
        audience,
        author,
        approver,
        created,
        issued,
        superseded_by,
        version,
    } = directive;
    Model {
        id,
        organization,
        org_path,
        state: state as i16,
        urgency: urgency as i16,
        title,
        text,
        text_sha256: text_hash.0.to_vec(),
        audience: serde_json::to_string(&audience).unwrap_or_default(),
        author,
        approver,
        create_time: created,
        issue_time: issued,
        superseded_by,
        version,
    }
}

impl TryFrom<Model> for Directive {
    type Error = DbErr;

    fn try_from(row: Model) -> Result<Self, DbErr> {
        let state = State::ALL
            .into_iter()
            .find(|state| *state as i16 == row.state);
        let urgency = Urgency::ALL
            .into_iter()
            .find(|urgency| *urgency as i16 == row.urgency);
        let text_hash = TextHash::of(&row.title, &row.text);
        if text_hash.0[..] != row.text_sha256[..] {
            return Err(DbErr::Type(format!(
                "the text of directive {} was altered",
                row.id
            )));
        }
        Ok(Self {
            organization: row.organization,
            id: row.id,
            org_path: row.org_path,
            state: state.ok_or_else(|| unreadable("state"))?,
            urgency: urgency.ok_or_else(|| unreadable("urgency"))?,
            title: row.title,
            text: row.text,
            text_hash,
            audience: serde_json::from_str(&row.audience).map_err(|_| unreadable("audience"))?,
            author: row.author,
            approver: row.approver,
            created: row.create_time,
            issued: row.issue_time,
            superseded_by: row.superseded_by,
            version: row.version,
        })
    }
}
