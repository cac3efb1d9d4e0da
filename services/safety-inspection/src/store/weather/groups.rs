//! Mutual-aid groups and their members.

use std::collections::BTreeMap;

use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::query::Where;
use crate::store::Store;

row! {
    /// A mutual-aid group.
    GroupRow in "mutual_aid_groups" by ["id"] {
        /// Its id.
        id: Uuid,
        /// The id of the bureau that formed it.
        organization: String,
        /// Its place.
        org_path: String,
        /// Shown to people.
        display_name: String,
        /// When it was formed.
        created_at: i64,
        /// When it was changed last.
        updated_at: i64,
        /// Grows with each change.
        version: i64,
    }
}

row! {
    /// A member: each organisation is in one group at most.
    MemberRow in "mutual_aid_members" by ["organization"] {
        /// The id of the organisation.
        organization: String,
        /// The group.
        mutual_aid_group: Uuid,
        /// 0 for the one that leads.
        place: i32,
    }
}

/// A group with the ids of its members, the one that leads first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The group itself.
    pub row: GroupRow,
    /// Its members.
    pub members: Vec<String>,
}

impl Store {
    /// Saves a group with its members; the first of `members` that is in another group stands in the
    /// way and is returned. Nothing of the group may be kept then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_mutual_aid_group(
        tx: &Tx,
        row: &GroupRow,
        members: &[String],
    ) -> Result<Option<String>, DbErr> {
        GroupRow::save(tx, std::slice::from_ref(row)).await?;
        leave(tx, row.id).await?;
        let rows = members.iter().zip(0..).map(|(member, place)| MemberRow {
            organization: member.clone(),
            mutual_aid_group: row.id,
            place,
        });
        MemberRow::add(tx, &rows.collect::<Vec<_>>()).await?;
        let keys = members.iter().map(|id| id.as_str().into()).collect();
        let kept = MemberRow::find(tx, "organization", keys, Lock::No).await?;
        let other = kept.into_iter().find(|one| one.mutual_aid_group != row.id);
        Ok(other.map(|one| one.organization))
    }

    /// Removes a group.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_mutual_aid_group(tx: &Tx, id: Uuid) -> Result<(), DbErr> {
        leave(tx, id).await?;
        let sql = "DELETE FROM mutual_aid_groups WHERE id = $1";
        tx.execute_raw(statement(tx, sql, [id.into()])).await?;
        Ok(())
    }

    /// A group.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mutual_aid_group(
        db: &impl ConnectionTrait,
        id: Uuid,
        lock: Lock,
    ) -> Result<Option<Group>, DbErr> {
        let rows = GroupRow::find(db, "id", vec![id.into()], lock).await?;
        Ok(with_members(db, rows).await?.pop())
    }

    /// The ids of the others of the group of an organisation, in their order; none where it has no group.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mutual_aid_partners(
        db: &impl ConnectionTrait,
        organization: &str,
    ) -> Result<Vec<String>, DbErr> {
        let sql = "SELECT organization FROM mutual_aid_members WHERE organization <> $1 \
             AND mutual_aid_group = (SELECT mutual_aid_group FROM mutual_aid_members \
             WHERE organization = $1) ORDER BY organization";
        let rows = db.query_all_raw(statement(db, sql, [organization.into()]));
        rows.await?
            .iter()
            .map(|row| row.try_get_by_index(0))
            .collect()
    }

    /// Groups of bureaus at and below `place`, after the group `after`, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mutual_aid_groups(
        db: &impl ConnectionTrait,
        place: &str,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Group>, DbErr> {
        let mut wheres = Where::default();
        wheres.below("org_path", place);
        if let Some(after) = after {
            let after = wheres.value(after);
            wheres.and(format!("id > {after}"));
        }
        let sql = wheres.sql();
        let rows = GroupRow::page(db, &sql, wheres.values, limit).await?;
        with_members(db, rows).await
    }
}

async fn leave(tx: &Tx, id: Uuid) -> Result<(), DbErr> {
    let sql = "DELETE FROM mutual_aid_members WHERE mutual_aid_group = $1";
    tx.execute_raw(statement(tx, sql, [id.into()])).await?;
    Ok(())
}

async fn with_members(db: &impl ConnectionTrait, rows: Vec<GroupRow>) -> Result<Vec<Group>, DbErr> {
    let keys = rows.iter().map(|row| row.id.into()).collect();
    let mut members = MemberRow::find(db, "mutual_aid_group", keys, Lock::No).await?;
    members.sort_unstable_by_key(|member| member.place);
    let mut of: BTreeMap<Uuid, Vec<String>> = BTreeMap::new();
    for member in members {
        of.entry(member.mutual_aid_group)
            .or_default()
            .push(member.organization);
    }
    let groups = rows.into_iter().map(|row| Group {
        members: of.remove(&row.id).unwrap_or_default(),
        row,
    });
    Ok(groups.collect())
}
