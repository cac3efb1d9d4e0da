//! The one door of Campus: checks who calls and how much, and passes the bytes of every call and
//! stream on to the service that answers it, without reading them. Only what comes as HTTP/JSON is
//! read, because it has to be translated; the overview it answers itself.

mod answer;
mod authority;
mod buffers;
mod callers;
mod config;
mod contract;
mod deadline;
mod dense;
mod draft;
mod frames;
mod front;
mod grpc;
mod health;
mod inside;
mod json;
mod limits;
mod openapi;
mod overview;
mod proxy;
mod reception;
mod refusals;
mod remainder;
mod route;
mod start;
mod upstream;
mod web;

pub use config::{Config, UpstreamsConfig};
pub use contract::UnknownContract;
pub use limits::{Limit, LimitsConfig, MethodLimit, SheddingConfig};
pub use overview::OverviewConfig;
pub use start::{StartError, start};
