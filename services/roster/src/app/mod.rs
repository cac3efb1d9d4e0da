//! Use cases: authorise, load, decide, save, announce.

pub(crate) mod access;
pub(crate) mod announce;
mod calendars;
mod city;
pub(crate) mod class_groups;
pub(crate) mod destruction;
mod divisions;
pub(crate) mod duties;
mod emergencies;
pub(crate) mod guardians;
pub(crate) mod import;
mod moves;
pub(crate) mod organizations;
pub(crate) mod policies;
pub(crate) mod responsibility;
pub(crate) mod seed;
pub(crate) mod simulation;
pub(crate) mod staff;
pub(crate) mod students;
pub(crate) mod subjects;
pub(crate) mod teaching;
mod teaching_summary;

use std::sync::Arc;

use kit::auth::{Caller, Permission};
use kit::clock::Clock;
use kit::db::Database;
use kit::org::OrgPath;
use uuid::Uuid;

use crate::domain::division;
use crate::domain::organization::Organization;
use crate::domain::private::Private;
use crate::error::Error;
use crate::store::organizations as store;
use crate::vault::Vault;

/// What every use case needs. Clones are cheap.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) db: Database,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) vault: Arc<Vault>,
    /// Where fresh identifiers come from.
    pub(crate) new_id: fn() -> Uuid,
}

/// A call that must have one effect however often it is sent: its method, its id, and the message.
#[derive(Debug)]
pub(crate) struct Act<'a, M> {
    pub(crate) method: &'static str,
    pub(crate) request_id: &'a str,
    pub(crate) request: &'a M,
}

impl App {
    /// Now, in milliseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }

    /// The GB/T 2260 code that is in force for `code` today: a retired one leads to its
    /// replacement (T22); empty when there is none.
    pub(crate) fn current_division(&self, code: &str) -> String {
        let division = division::resolve(code, self.clock.today());
        division
            .map(|division| division.code.to_owned())
            .unwrap_or_default()
    }

    /// The organisation `id`, at which the caller may do `permission`. Who may not see all of the
    /// tree is not told whether what they may not see exists.
    pub(crate) async fn organization(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &str,
    ) -> Result<Organization, Error> {
        let scope = caller.allowed(permission)?;
        let found = store::get(self.db.read(), id).await?;
        Self::seen(caller, permission, scope, found, || {
            format!("organizations/{id}")
        })
    }

    /// Gives `found` to a caller whose scope holds it.
    fn seen(
        caller: &Caller,
        permission: Permission,
        scope: &OrgPath,
        found: Option<Organization>,
        name: impl Fn() -> String,
    ) -> Result<Organization, Error> {
        match found {
            Some(organization) => {
                check(caller, permission, &organization.org_path)?;
                Ok(organization)
            }
            // Above the root there is nobody to hide anything from.
            None if scope.ids().count() <= 1 => Err(Error::NotFound(name())),
            None => {
                caller.require(permission, &OrgPath::root())?;
                Err(Error::NotFound(name()))
            }
        }
    }

    /// What is sealed of the person `id`.
    pub(crate) fn open(&self, id: Uuid, sealed: Option<&[u8]>) -> Result<Private, Error> {
        let Some(sealed) = sealed else {
            return Ok(Private::default());
        };
        let opened = self.vault.open(id, sealed)?;
        Private::unpack(&opened).map_err(|_| Error::Vault(crate::vault::VaultError))
    }

    /// Stands for a private text in what is kept of a request: the same for the same text, and
    /// nobody can go back from it.
    pub(crate) fn veil(&self, text: &mut String) {
        if !text.is_empty() {
            *text = hex::encode(self.vault.identity("REQUEST", text));
        }
    }

    /// What is to be stored of the private parts of the person `id`.
    pub(crate) fn seal(&self, id: Uuid, private: &Private) -> Option<Vec<u8>> {
        (!private.is_empty()).then(|| self.vault.seal(id, &private.pack()))
    }
}

/// Whether the caller may do `permission` at the place `path`.
pub(crate) fn check(caller: &Caller, permission: Permission, path: &str) -> Result<(), Error> {
    let path: OrgPath = path.parse().unwrap_or_default();
    caller.require(permission, &path)?;
    Ok(())
}

/// The error for something that nobody finds: who may not see everything learns nothing.
pub(crate) fn hidden(caller: &Caller, permission: Permission, name: String) -> Error {
    match caller.require(permission, &OrgPath::root()) {
        Err(problem) if caller.scope.ids().count() > 1 => Error::Refused(problem),
        _ => Error::NotFound(name),
    }
}
