//! Use cases: authorise, load, decide, save.

pub(crate) mod alerts;
pub(crate) mod directives;
pub(crate) mod recipients;

use std::sync::Arc;

use kit::auth::{Caller, Permission};
use kit::clock::Clock;
use kit::org::OrgPath;
use kit::status::Problem;
use proto::error::ErrorReason;
use sea_orm::ConnectionTrait;

use crate::error::Error;
use crate::store::Store;

/// An organisation and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Organization {
    pub(crate) id: String,
    pub(crate) path: OrgPath,
}

/// What every use case needs.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Base {
    /// The organisation of a request, when the caller may do `permission` there.
    pub(crate) async fn organization(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &str,
    ) -> Result<Organization, Error> {
        let scope = caller.allowed(permission)?;
        let path = self.path(self.store.database().read(), id).await?;
        let path = path.ok_or_else(|| unknown(permission, scope, format!("organizations/{id}")))?;
        caller.require(permission, &path)?;
        Ok(Organization {
            id: id.to_owned(),
            path,
        })
    }

    pub(crate) async fn path(
        &self,
        db: &impl ConnectionTrait,
        id: &str,
    ) -> Result<Option<OrgPath>, Error> {
        Ok(self.store.org_path(db, id).await?.map(|path| place(&path)))
    }
}

/// Whoever looks after the whole city may know what does not exist; others learn nothing.
fn unknown(permission: Permission, scope: &OrgPath, name: String) -> Error {
    if scope.ids().count() <= 1 {
        Error::NotFound(name)
    } else {
        denied(permission)
    }
}

fn denied(permission: Permission) -> Error {
    Problem::new(ErrorReason::ScopeDenied)
        .meta("permission", permission)
        .into()
}

/// A place that roster told: it has the form of one, so the fallback to a place that nobody's
/// scope but the city's contains is for the impossible.
fn place(path: &str) -> OrgPath {
    path.parse().unwrap_or_default()
}
