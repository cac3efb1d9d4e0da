//! Resources of an organisation, and lists of them over the tree.

use kit::db::statement;
use kit::rows::{Lock, Row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{below_end, unreadable};

/// A resource of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<T> {
    /// Sorts by when it was made, or begins.
    pub id: Uuid,
    /// The id of the organisation.
    pub organization: String,
    /// Its place in the tree.
    pub org_path: String,
    /// The resource.
    pub value: T,
}

impl<T> Record<T> {
    /// The same resource as it is now.
    pub fn with<U>(&self, value: U) -> Record<U> {
        Record {
            id: self.id,
            organization: self.organization.clone(),
            org_path: self.org_path.clone(),
            value,
        }
    }

    /// `organizations/{organization}/{collection}/{id}`.
    pub fn name(&self, collection: &str) -> String {
        resource_name(&self.organization, collection, self.id)
    }
}

/// `organizations/{organization}/{collection}/{id}`.
pub fn resource_name(organization: &str, collection: &str, id: Uuid) -> String {
    format!(
        "organizations/{organization}/{collection}/{}",
        id.hyphenated()
    )
}

pub(super) fn text(value: &impl Serialize) -> Result<String, DbErr> {
    serde_json::to_string(value).map_err(|_| unreadable("body"))
}

pub(super) fn value<T: DeserializeOwned>(text: &str) -> Result<T, DbErr> {
    serde_json::from_str(text).map_err(|_| unreadable("body"))
}

/// A row that holds a resource in its column `body`.
pub(super) trait Kept: Row {
    /// The resource.
    type Value: DeserializeOwned;

    /// The id of the organisation.
    fn organization(&self) -> &str;

    /// The resource, and where it belongs.
    fn record(self) -> Result<Record<Self::Value>, DbErr>;
}

/// Says what a row with `id`, `organization`, `org_path` and `body` holds.
macro_rules! kept {
    ($row:ty: $value:ty) => {
        impl $crate::store::records::Kept for $row {
            type Value = $value;

            fn organization(&self) -> &str {
                &self.organization
            }

            fn record(self) -> Result<$crate::store::records::Record<$value>, sea_orm::DbErr> {
                Ok($crate::store::records::Record {
                    value: $crate::store::records::value(&self.body)?,
                    id: self.id,
                    organization: self.organization,
                    org_path: self.org_path,
                })
            }
        }
    };
}
pub(super) use kept;

/// A resource of an organisation by its id.
pub(super) async fn one<R: Kept>(
    db: &impl ConnectionTrait,
    organization: &str,
    id: Uuid,
    lock: Lock,
) -> Result<Option<Record<R::Value>>, DbErr> {
    let found = R::find(db, "id", vec![id.into()], lock).await?;
    let mut found = found.into_iter();
    let found = found.find(|row| row.organization() == organization);
    found.map(R::record).transpose()
}

/// Resources as [`below`] finds them.
pub(super) async fn page<R: Kept>(
    db: &impl ConnectionTrait,
    place: &str,
    only: &[(&str, i16)],
    (before, limit): (Option<Uuid>, u64),
) -> Result<Vec<Record<R::Value>>, DbErr> {
    let rows: Vec<R> = below(db, place, only, before, limit).await?;
    rows.into_iter().map(R::record).collect()
}

/// Rows at and below `place` whose columns have these numbers, the greatest id first, those before
/// `before`, at most `limit`.
pub(super) async fn below<R: Row>(
    db: &impl ConnectionTrait,
    place: &str,
    only: &[(&str, i16)],
    before: Option<Uuid>,
    limit: u64,
) -> Result<Vec<R>, DbErr> {
    let mut values: Vec<Value> = vec![
        place.into(),
        format!("{place}/").into(),
        below_end(place).into(),
    ];
    let mut wheres = "(org_path = $1 OR (org_path > $2 AND org_path < $3))".to_owned();
    for (column, number) in only {
        values.push((*number).into());
        wheres.push_str(&format!(" AND {column} = ${}", values.len()));
    }
    if let Some(before) = before {
        values.push(before.into());
        wheres.push_str(&format!(" AND id < ${}", values.len()));
    }
    values.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
    let sql = format!(
        "SELECT {} FROM {} WHERE {wheres} ORDER BY id DESC LIMIT ${}",
        R::COLUMNS.join(", "),
        R::TABLE,
        values.len()
    );
    let rows = db.query_all_raw(statement(db, &sql, values)).await?;
    rows.iter().map(R::read).collect()
}
