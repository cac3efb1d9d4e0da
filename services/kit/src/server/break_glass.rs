//! Whoever opens in an emergency what is closed to them in daily life is written down first.

use std::fmt;

use async_trait::async_trait;

use crate::auth::Caller;
use crate::status::Problem;

/// Is told of each call for which the glass was broken, before the call runs.
#[async_trait]
pub trait BreakGlass: fmt::Debug + Send + Sync {
    /// Writes down durably that `caller` calls the method at `path` for `reason`.
    ///
    /// # Errors
    /// When it cannot be written down: the call is then refused with this problem.
    async fn broken(&self, caller: &Caller, path: &str, reason: &str) -> Result<(), Problem>;
}

/// Leaves a warning in the log, without who it was and without their words, which may name people.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogBreakGlass;

#[async_trait]
impl BreakGlass for LogBreakGlass {
    async fn broken(&self, caller: &Caller, path: &str, _: &str) -> Result<(), Problem> {
        let (roles, scope) = (&caller.roles, &caller.scope);
        tracing::warn!(path, ?roles, %scope, "the glass was broken");
        Ok(())
    }
}
