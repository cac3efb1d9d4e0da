//! The one door of Campus: checks who calls and how much, and passes the bytes of every call and
//! stream on to the service that answers it, without reading them.

mod answer;
mod callers;
mod config;
mod deadline;
mod dense;
mod pool;
mod proxy;
mod route;
mod start;

pub use config::{Config, UpstreamsConfig};
pub use start::{StartError, start};
