//! Each person's medical axis.

use chrono::{DateTime, Utc};
use kit::db::Tx;

use super::Touched;
use crate::app::App;
use crate::error::Error;

impl App {
    /// Settles the medical state of people of whom something else is said now.
    pub(super) async fn settle_medical(
        &self,
        _tx: &Tx,
        _touched: &Touched,
        _now: DateTime<Utc>,
    ) -> Result<(), Error> {
        Ok(())
    }
}
