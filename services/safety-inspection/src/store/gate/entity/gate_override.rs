//! The word of a person instead of that of the checks.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "gate_overrides")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) school: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) outcome: i16,
    pub(crate) reason: String,
    pub(crate) responsible: String,
    pub(crate) override_time: ChronoDateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
