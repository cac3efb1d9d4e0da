//! Who may read which tube, and what is read of it.

use kit::auth::{Caller, Permission, Role};
use kit::org::OrgPath;
use kit::status::Problem;
use proto::error::ErrorReason;

use super::App;
use crate::error::Error;
use crate::store::swabs::{self, MakeUpRow, SwabRow};
use crate::store::tubes::{self, CustodyRow, Filter, TubeRow, Whose};
use kit::rows::{Lock, Row};

/// Which tubes somebody wants to see.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted<'a> {
    /// The identifier of the organisation; a laboratory's own are told by who asks.
    pub(crate) organization: &'a str,
    pub(crate) state: Option<i16>,
    pub(crate) overdue: bool,
    pub(crate) after: String,
    pub(crate) limit: u64,
}

impl App {
    /// Whether the caller may act on this tube: a laboratory on its own, others within their
    /// scope. Only those who see the whole city are told that there is no such tube.
    pub(crate) fn check_tube(
        caller: &Caller,
        permission: Permission,
        tube: Option<&TubeRow>,
        code: &str,
    ) -> Result<(), Error> {
        caller.allowed(permission)?;
        let denied = || Problem::new(ErrorReason::ScopeDenied).meta("permission", permission);
        if caller.is(Role::Laboratory) {
            let own = |tube: &&TubeRow| caller.laboratory.as_ref() == Some(&tube.laboratory);
            let tube = tube.filter(own).ok_or_else(denied)?;
            let at: OrgPath = tube.org_path.parse().unwrap_or_default();
            // A bureau may send it tubes from beyond its scope.
            let within = caller.scope.contains(&at);
            let at = if within { &at } else { &caller.scope };
            return Ok(caller.require(permission, at)?);
        }
        match tube {
            Some(tube) => Self::check_path(caller, permission, &tube.org_path),
            None if caller.scope.ids().count() <= 1 => {
                Err(Error::NotFound(format!("tubes/{code}")))
            }
            None => Err(denied().into()),
        }
    }

    /// A tube that the caller may read.
    pub(crate) async fn get_tube(
        &self,
        caller: &Caller,
        permission: Permission,
        code: &str,
    ) -> Result<TubeRow, Error> {
        let tube = TubeRow::get(self.db.read(), code, Lock::No).await?;
        Self::check_tube(caller, permission, tube.as_ref(), code)?;
        tube.ok_or_else(|| Error::NotFound(format!("tubes/{code}")))
    }

    /// Tubes by code.
    pub(crate) async fn list_tubes(
        &self,
        caller: &Caller,
        wanted: Wanted<'_>,
    ) -> Result<Vec<TubeRow>, Error> {
        let Wanted {
            organization,
            state,
            overdue,
            after,
            limit,
        } = wanted;
        caller.allowed(Permission::TubeRead)?;
        let whose = if caller.is(Role::Laboratory) {
            Whose::Laboratory(caller.laboratory.clone().unwrap_or_default())
        } else {
            let place = self.place(caller, Permission::TubeRead, organization);
            Whose::Below(place.await?)
        };
        let filter = Filter {
            whose,
            state,
            due_before: overdue.then(|| self.clock.now().timestamp_millis()),
            after,
            limit,
        };
        Ok(tubes::list(self.db.read(), filter).await?)
    }

    /// The swabs of a tube after a person; never told to a laboratory.
    pub(crate) async fn list_swabs(
        &self,
        caller: &Caller,
        code: &str,
        after: Vec<u8>,
        limit: u64,
    ) -> Result<Vec<SwabRow>, Error> {
        if caller.is(Role::Laboratory) {
            let denied = Problem::new(ErrorReason::ScopeDenied);
            return Err(denied.meta("permission", Permission::TubeRead).into());
        }
        self.get_tube(caller, Permission::TubeRead, code).await?;
        Ok(swabs::of_tube(self.db.read(), code, after, limit).await?)
    }

    /// What happened to a tube after an event. A laboratory is told neither notes nor who acted
    /// elsewhere.
    pub(crate) async fn list_custody(
        &self,
        caller: &Caller,
        code: &str,
        after: i64,
        limit: u64,
    ) -> Result<Vec<CustodyRow>, Error> {
        self.get_tube(caller, Permission::TubeRead, code).await?;
        let mut rows = tubes::custody(self.db.read(), code, after, limit).await?;
        if caller.is(Role::Laboratory) {
            for row in &mut rows {
                row.note.clear();
                if row.actor != caller.subject {
                    row.actor.clear();
                }
            }
        }
        Ok(rows)
    }

    /// Who must be swabbed again below an organisation, after a tube and person.
    pub(crate) async fn list_make_ups(
        &self,
        caller: &Caller,
        organization: &str,
        after: (String, Vec<u8>),
        limit: u64,
    ) -> Result<Vec<MakeUpRow>, Error> {
        let place = self
            .place(caller, Permission::DrawRead, organization)
            .await?;
        Ok(swabs::make_ups(self.db.read(), &place, after, limit).await?)
    }
}
