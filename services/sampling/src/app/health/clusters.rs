//! Clusters, found as things are said.

use chrono::{DateTime, Utc};
use kit::db::Tx;

use super::Touched;
use crate::app::App;
use crate::error::Error;

impl App {
    /// Finds out which clusters the schools of `touched` have now.
    pub(super) async fn find_clusters(
        &self,
        _tx: &Tx,
        _touched: &Touched,
        _now: DateTime<Utc>,
    ) -> Result<(), Error> {
        Ok(())
    }
}
