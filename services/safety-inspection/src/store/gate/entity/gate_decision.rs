//! One decision at a gate.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "gate_decisions")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) school: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) org_path: String,
    pub(crate) person: Option<String>,
    pub(crate) outcome: i16,
    pub(crate) findings: Vec<u8>,
    pub(crate) temperature: Option<i16>,
    pub(crate) colour: i16,
    pub(crate) travel_shown: Option<String>,
    pub(crate) travel_starred: bool,
    pub(crate) device: String,
    pub(crate) guard: String,
    pub(crate) policy_version: String,
    pub(crate) decide_time: ChronoDateTimeUtc,
    pub(crate) record_time: ChronoDateTimeUtc,
    pub(crate) facts_time: Option<ChronoDateTimeUtc>,
    pub(crate) stale: bool,
    pub(crate) offline: bool,
    pub(crate) recheck_of: Option<Uuid>,
    pub(crate) identification: i16,
    pub(crate) emergency: Option<i16>,
    pub(crate) client_id: Uuid,
    pub(crate) fingerprint: i64,
    pub(crate) colour_source: i16,
    pub(crate) arrival: i16,
    pub(crate) further_readings: String,
    pub(crate) symptoms: i16,
    pub(crate) travel_cities: String,
    pub(crate) travel_source: i16,
    pub(crate) expected: Option<i16>,
}

impl ActiveModelBehavior for ActiveModel {}
