//! One alert.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "alerts")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) kind: i16,
    pub(crate) grave: bool,
    pub(crate) organization: String,
    pub(crate) org_path: String,
    pub(crate) state: i16,
    pub(crate) escalated: bool,
    pub(crate) basis: String,
    pub(crate) episode: i32,
    pub(crate) stands: bool,
    /// A JSON array.
    pub(crate) subjects: String,
    pub(crate) people: i32,
    pub(crate) amount: i32,
    pub(crate) total: i32,
    pub(crate) word: i16,
    pub(crate) owner: String,
    pub(crate) occur_time: ChronoDateTimeUtc,
    pub(crate) raise_time: ChronoDateTimeUtc,
    pub(crate) due_time: ChronoDateTimeUtc,
    /// The same in milliseconds since 1970, which both databases compare alike.
    pub(crate) due_at: i64,
    /// A step as JSON.
    pub(crate) acknowledged: Option<String>,
    /// A step as JSON.
    pub(crate) taken: Option<String>,
    /// A step as JSON.
    pub(crate) resolved: Option<String>,
    /// The revision that raised it: the order of lists.
    pub(crate) sequence: i64,
    /// The revision of the last change.
    pub(crate) revision: i64,
}

impl ActiveModelBehavior for ActiveModel {}
