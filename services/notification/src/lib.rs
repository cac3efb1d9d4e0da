//! What must reach people: directives down the tree with receipts and reports, alerts with owners and
//! deadlines, the texts of messages, and warnings of other systems.

mod app;
pub mod channels;
mod config;
pub mod domain;
mod error;
mod facts;
mod feeds;
mod glass_facts;
mod grpc;
mod migration;
mod safety_facts;
mod seal;
mod shipped;
mod start;
pub mod store;
mod voice_feeds;

pub use config::{
    AlertConfig, AnswerConfig, ChannelConfig, Config, DeliveryConfig, Encoding, Encryption,
    RequestConfig, RetentionConfig, SendingConfig, SignConfig, SmtpConfig, WarningConfig,
};
pub use error::{Error, Unfit};
pub use feeds::{RosterProjection, SafetyProjection, SamplingProjection};
pub use migration::{Migrator, schema};
pub use seal::Seal;
pub use start::{StartError, start};
pub use voice_feeds::ClearanceProjection;
