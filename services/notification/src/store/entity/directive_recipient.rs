//! What one organisation or class group does with a directive.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "directive_recipients")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) directive: Uuid,
    /// The recipient id: that of the organisation, or `{organization}~{class_group}`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) organization: String,
    pub(crate) org_path: String,
    /// The organisation id of who ordered.
    pub(crate) orderer: String,
    /// The recipient id of who passes it on; empty for the orderer.
    pub(crate) upper_organization: String,
    pub(crate) below: i32,
    pub(crate) state: i16,
    /// Milliseconds since 1970; none until it was passed on.
    pub(crate) due_at: Option<i64>,
    pub(crate) acknowledge_time: Option<ChronoDateTimeUtc>,
    pub(crate) relay_time: Option<ChronoDateTimeUtc>,
    pub(crate) relay_note: String,
    pub(crate) report: String,
    pub(crate) progress: i32,
    pub(crate) return_reason: String,
    pub(crate) update_time: ChronoDateTimeUtc,
    pub(crate) text_sha256: Vec<u8>,
    pub(crate) version: i64,
    /// Something is owed: the directive is in force and the report not accepted.
    pub(crate) open: bool,
    pub(crate) level: i16,
    /// The recipient id of the bureau through which it left the orderer; empty without one.
    pub(crate) district: String,
    /// The instant of the signature in milliseconds since 1970, which both databases compare alike.
    pub(crate) acknowledged_at: Option<i64>,
    /// The civil day on which the next unfinished demand is due, as `YYYYMMDD`.
    pub(crate) items_due: Option<i32>,
    /// Milliseconds since 1970; none unless it waits to be passed on.
    pub(crate) relay_due_at: Option<i64>,
    /// Milliseconds since 1970; none unless a report waits to be judged.
    pub(crate) judge_due_at: Option<i64>,
    /// The version that the feed tells; 0 before the recipient first acts.
    pub(crate) announced: i64,
}

impl ActiveModelBehavior for ActiveModel {}
