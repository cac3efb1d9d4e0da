//! What concerns the whole city.

use kit::auth::{Caller, Permission};
use kit::org::OrgPath;

use super::App;
use crate::error::Error;
use crate::store::organizations as store;

impl App {
    /// Checks that the caller may do `permission` in the whole city: at the root of the register or
    /// above it.
    pub(crate) async fn city(&self, caller: &Caller, permission: Permission) -> Result<(), Error> {
        let scope = self.whole(caller, permission).await?;
        if scope.is_root() {
            return Ok(());
        }
        caller.require(permission, &OrgPath::root())?;
        Ok(())
    }

    /// Where the caller may do `permission`. Who may do it at the root of the register may do it
    /// everywhere: what concerns the whole city stands above that root.
    pub(crate) async fn whole(
        &self,
        caller: &Caller,
        permission: Permission,
    ) -> Result<OrgPath, Error> {
        let scope = caller.allowed(permission)?;
        let root = store::root(self.db.read()).await?;
        if root.is_some_and(|root| root == scope.as_str()) {
            Ok(OrgPath::root())
        } else {
            Ok(scope.clone())
        }
    }
}
