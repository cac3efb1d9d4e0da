//! One directive.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "directives")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) organization: String,
    pub(crate) org_path: String,
    pub(crate) state: i16,
    pub(crate) urgency: i16,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) text_sha256: Vec<u8>,
    /// As JSON; of directives from before there were filters, an array of organisation ids.
    pub(crate) audience: String,
    pub(crate) author: String,
    pub(crate) approver: String,
    pub(crate) create_time: ChronoDateTimeUtc,
    pub(crate) issue_time: Option<ChronoDateTimeUtc>,
    pub(crate) superseded_by: String,
    pub(crate) version: i64,
    /// A JSON array.
    pub(crate) items: String,
    /// A JSON array.
    pub(crate) attachments: String,
    pub(crate) to_class_groups: bool,
    pub(crate) meeting: String,
    pub(crate) revoke_reason: String,
}

impl ActiveModelBehavior for ActiveModel {}
