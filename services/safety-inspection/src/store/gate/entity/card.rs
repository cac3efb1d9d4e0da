//! A campus card: keyed hashes of its number, and whose it is.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "cards")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) card_hash: Vec<u8>,
    pub(crate) person: String,
    pub(crate) bind_time: ChronoDateTimeUtc,
    pub(crate) credential: Option<Vec<u8>>,
}

impl ActiveModelBehavior for ActiveModel {}
